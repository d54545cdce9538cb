"""A large JSON document as several that say the same together, so that it need not be in memory at once."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from otel_arthur.genai.otlp.json.typed import Export, ordinary
from otel_arthur.genai.otlp.pieces import Rewound
from otel_arthur.genai.otlp.spoiled import Spoiled

_LISTS: Final = (
    {f"resource{of}" for of in ("Spans", "Logs", "Metrics", "_spans", "_logs", "_metrics")},
    {f"scope{of}" for of in ("Spans", "Logs", "Metrics", "_spans", "_logs", "_metrics")},
    {"spans", "logRecords", "metrics", "log_records"},
)
"""Of resources, of scopes and of records: each list in what the one before holds."""
_AROUND: Final = {"resource", "scope"}
_SPACE: Final = re.compile(r"[ \t\r\n]*")
_SURROGATE: Final = re.compile(r"\\u[dD][89a-fA-F]")
_LONGEST_MARK: Final = 16
"""An error so near the end may be that of a value that goes on."""
_scan: Final = json.JSONDecoder(parse_constant=str).raw_decode


class _TooLargeError(ValueError):
    pass


class Parts:
    """The parts of one document, each an `Export`, or a parsed document that is not ordinary.

    Args:
        size: characters of a part, about.
        longest: characters of a record at most.
        spoiled: told of what stands behind the records that need it.
    """

    def __init__(self, stream: Rewound, size: int, longest: int, spoiled: Spoiled) -> None:
        self._stream = stream
        self._size = size
        self._longest = longest
        self._spoiled = spoiled
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._text = ""
        self._at = 0
        self._has_ended = False
        self._is_plain = True

    def __iter__(self) -> Iterator[Export | Any]:
        """Raises ValueError: the document is no JSON from there on."""
        if self._next() != "[":
            yield from self._object(0, self._whole)
            return
        for _ in self._items():
            yield from self._object(0, self._whole)

    @property
    def rest(self) -> bytes:
        """What was read and is behind the parts, from the end of the line on where they end in an error."""
        return self._text[self._at :].encode("utf-8", "replace")

    def _whole(self, document: dict[str, Any]) -> Any:
        return (ordinary(document) if self._is_plain else None) or document

    def _object(self, level: int, whole: Callable[[dict[str, Any]], Any]) -> Iterator[Any]:
        fields: dict[str, Any] = {}
        name, size, has_gone = "", 0, False
        part: list[Any] = []
        for key in self._members():
            if key not in _LISTS[level] or self._next() != "[":
                fields[key] = self._value(self._longest)
                if has_gone and key in _AROUND:
                    self._spoiled.add("a resource or scope behind its records: they are read without it")
                continue
            if part:
                yield whole({**fields, name: part})
            name, part, size = key, [], 0
            for _ in self._items():
                left = len(self._text) - self._at
                try:
                    value = self._value(self._size if level < 2 else self._longest)
                except _TooLargeError:
                    if level == 2:
                        raise
                    if part:
                        yield whole({**fields, name: part})
                    part, size, has_gone = [], 0, True
                    around = {**fields}
                    yield from self._object(
                        level + 1, lambda inner, around=around, key=key: whole({**around, key: [inner]})
                    )
                    continue
                part.append(value)
                size += max(left - len(self._text) + self._at, 1)
                if size > self._size:
                    yield whole({**fields, name: part})
                    part, size, has_gone = [], 0, True
        if part or not has_gone:
            yield whole({**fields, name: part} if name else fields)

    def _members(self) -> Iterator[str]:
        """Each name, with the value next."""
        for _ in self._listed("{", "}"):
            name = self._value(self._longest)
            if not isinstance(name, str):
                raise ValueError("a name is no text")  # noqa: TRY004 - as the parser says it
            self._take(":")
            yield name

    def _items(self) -> Iterator[None]:
        yield from self._listed("[", "]")

    def _listed(self, opening: str, closing: str) -> Iterator[None]:
        self._take(opening)
        if self._next() == closing:
            self._at += 1
            return
        while True:
            yield
            if self._next() == closing:
                self._at += 1
                return
            self._take(",")

    def _take(self, mark: str) -> None:
        found = self._next()
        if found != mark:
            blank = len(self._text[: self._at]) - len(self._text[: self._at].rstrip())
            self._at -= blank  # the next line begins here where this one is torn
            raise ValueError(f"expected {mark!r}, found {found!r}" if found else "it ends early")
        self._at += 1

    def _next(self) -> str:
        """The next character that is no blank; empty at the end."""
        while True:
            found = _SPACE.match(self._text, self._at)
            self._at = found.end() if found else self._at
            if self._at < len(self._text) or self._has_ended:
                return self._text[self._at : self._at + 1]
            self._read()

    def _value(self, longest: int) -> Any:
        self._next()
        while True:
            try:
                value, end = _scan(self._text, self._at)
            except RecursionError:
                raise ValueError("it is nested too deeply") from None
            except json.JSONDecodeError as error:
                is_cut = error.msg.startswith("Unterminated") or error.pos > len(self._text) - _LONGEST_MARK
                if self._has_ended or not is_cut:
                    raise
            else:
                if end < len(self._text) or self._has_ended:
                    self._at = end
                    return value
            if len(self._text) - self._at > longest:
                raise _TooLargeError(f"a value in it is longer than {longest // 1024**2} MB")
            self._read()

    def _read(self) -> None:
        """Read as much as waits already, so that a long value is not looked at too often."""
        more = self._stream.read(max(len(self._text) - self._at, self._size // 2))
        text = self._decoder.decode(more, not more)
        self._is_plain = self._is_plain and _SURROGATE.search(text) is None
        self._text = self._text[self._at :] + text
        self._at = 0
        self._has_ended = not more
