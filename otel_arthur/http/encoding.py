"""JSON as Arthur takes it: NaN and infinity are null, every text is valid UTF-8."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, cast

import orjson

from otel_arthur.genai.json_text import clean

Body = bytes | memoryview
_NUL = b"\\u0000"
"""NUL as JSON writes it; a text that holds the escape itself is left unchanged."""
_INT64 = range(-(2**63), 2**64)
_OPTIONS = orjson.OPT_NON_STR_KEYS | orjson.OPT_SERIALIZE_NUMPY


def encode(value: Any) -> bytes:
    """JSON bytes of `value`.

    Texts may hold lone surrogates, as a model's output cut in the middle of an emoji does: halves that
    belong together are joined, lone ones become U+FFFD, and so does NUL, which databases refuse. A type
    that JSON lacks becomes its ``str``.

    Raises:
        TypeError: nested deeper than 254 levels.
    """
    try:
        # An exact copy: the bytes that orjson returns hold several times their length in memory.
        row = bytes(memoryview(orjson.dumps(value, default=str, option=_OPTIONS)))
        if _NUL not in row:
            return row
    except TypeError:
        pass
    # Rare, so the copy is made only after the fast way failed.
    return orjson.dumps(_valid(value, 0), default=lambda value: _text(str(value)), option=_OPTIONS)


class JsonArray(Sequence[bytes]):
    """Items that are one JSON array already, split only when one of them is asked for.

    Args:
        items: splits the array.
    """

    __slots__ = ("_count", "_items", "body")

    def __init__(self, body: Body, count: int, items: Callable[[], list[bytes]]) -> None:
        self.body = body
        self._count = count
        self._items = items

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: Any) -> Any:
        return cast("Any", self._items()[index])

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._items())


def encode_rows(rows: Iterable[bytes | Mapping[str, Any]]) -> Body:
    """A JSON array of rows; those that are bytes already are JSON and go in as they are."""
    if isinstance(rows, JsonArray):
        return rows.body
    parts = [row if isinstance(row, bytes) else encode(row) for row in rows]
    if not parts:
        return b"[]"
    # The brackets are joined to the ends first: a sum with the whole would copy the whole.
    parts[0] = b"[" + parts[0]
    parts[-1] += b"]"
    return b",".join(parts)


def _valid(value: Any, depth: int) -> Any:
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return value if value in _INT64 else str(value)
    if depth > 256:
        return value
    if isinstance(value, Mapping):
        items = cast("Mapping[Any, Any]", value).items()
        return {_valid(key, depth + 1): _valid(item, depth + 1) for key, item in items}
    if isinstance(value, list | tuple):
        return [_valid(item, depth + 1) for item in cast("list[Any]", value)]
    return value


def _text(text: str) -> str:
    return clean(text).replace("\0", "\ufffd")


def mapping(value: Any) -> Mapping[str, Any]:
    """A parsed JSON object; any other value becomes an empty object."""
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}
