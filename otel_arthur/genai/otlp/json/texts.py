"""The JSON objects in a file, whatever their arrangement: one, a list, one a line, or as `jq` prints them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import IO, Any, cast

from otel_arthur.genai.otlp.json.mending import loaded
from otel_arthur.genai.otlp.json.parts import Parts
from otel_arthur.genai.otlp.json.typed import ordinary
from otel_arthur.genai.otlp.pieces import Rewound
from otel_arthur.genai.otlp.spoiled import HINT, OTLPError, Spoiled

PIECE = 2 * 1024**2
"""Bytes that are read at once of a file, however long a line, a document or a message in it is."""
_CLOSING = {b"{": b"}", b"[": b"]"}


def documents(source: IO[bytes], longest: int, spoiled: Spoiled) -> Iterator[tuple[str, Any]]:
    """The objects of a text, each with where it is; an ordinary export as `Export`.

    Args:
        source: the text.
        longest: bytes of a value in a large object at most.
        spoiled: told which lines are passed over.

    Raises:
        OTLPError: there is none.
    """
    stream = Rewound(source)
    number, found, failure = 0, False, ""
    while line := stream.readline(PIECE + 1):
        number += 1
        if line.isspace():
            continue
        where, text = f"line {number}: ", line
        if (closing := _CLOSING.get(line.strip())) is not None:
            text += _until(stream, closing, PIECE + 1 - len(line))
            number += text.count(b"\n") - 1
        try:
            document = None if len(text) > PIECE else ordinary(text) or loaded(text, spoiled.add)
        except ValueError as error:
            # One object may be on many lines, however they are broken.
            rest = b"" if found or failure else stream.read(PIECE + 1 - len(text))
            try:
                is_large = len(text) + len(rest) > PIECE and not _has_export(rest)
                document = None if is_large else loaded(text + rest, spoiled.add)
                text += rest if is_large else b""
            except ValueError:
                failure = failure or f"{where[:-2]} is not JSON: {error}"
                spoiled.add("a line that is not JSON", f"{where}{error}")
                stream.take_back(rest)
                continue
        if document is None:
            stream.take_back(text)
            parts = Parts(stream, PIECE, longest, spoiled)
            try:
                for part in parts:
                    found = True
                    yield where, part
                stream.take_back(parts.rest)
            except ValueError as error:
                failure = failure or f"{where[:-2]} is not JSON: {error}"
                spoiled.add("the rest of a line that is not JSON", f"{where}{error}")
                stream.take_back(parts.rest)
                while (line := stream.readline(PIECE)) and not line.endswith(b"\n"):
                    pass
            continue
        found = True
        items = cast("list[Any]", document) if isinstance(document, list) else []
        if items and all(isinstance(item, dict) for item in items):
            yield from ((f"item {index}: ", item) for index, item in enumerate(items, 1))
        else:
            yield where, document
    if failure and not found:
        raise OTLPError(f"{failure}; {HINT}")


def _has_export(text: bytes) -> bool:
    """Whether the first line of a text is an export: then the line before is one of its own, and is torn."""
    return ordinary(text.partition(b"\n")[0]) is not None


def _until(stream: Rewound, closing: bytes, longest: int) -> bytes:
    """The lines up to the one that closes an indented object."""
    lines: list[bytes] = []
    while longest > 0 and (line := stream.readline(longest)):
        lines.append(line)
        longest -= len(line)
        if line.rstrip() == closing:
            break
    return b"".join(lines)


def json_document(content: bytes, spoiled: Counter[str] | None = None) -> Any:
    """As `loaded`; an empty body is an empty object.

    Args:
        spoiled: what was bad -> how often, counted up.
    """
    counts: Counter[str] = Counter() if spoiled is None else spoiled
    return loaded(content, lambda kind: counts.update((kind,))) if content.strip() else {}
