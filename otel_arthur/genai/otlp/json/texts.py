"""The JSON objects in a file, whatever their arrangement: one, a list, one a line, or as `jq` prints them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import IO, Any, cast

import orjson

from otel_arthur.genai.otlp.json.depth import shallow
from otel_arthur.genai.otlp.json.parts import Parts
from otel_arthur.genai.otlp.json.typed import ordinary
from otel_arthur.genai.otlp.pieces import Rewound
from otel_arthur.genai.otlp.spoiled import HINT, TEXT, OTLPError, Spoiled

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
            document = None if len(text) > PIECE else ordinary(text) or _loads(text, spoiled)
        except ValueError as error:
            # One object may be on many lines, however they are broken.
            rest = b"" if found or failure else stream.read(PIECE + 1 - len(text))
            try:
                is_large = len(text) + len(rest) > PIECE and not _has_export(rest)
                document = None if is_large else _loads(text + rest, spoiled)
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


def _loads(text: bytes, spoiled: Spoiled) -> Any:
    """JSON, also what only Python reads: lone surrogates, NaN. Raises ValueError where it is none."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if (cut := shallow(text)) != text:
            return _loads(cut, spoiled)
        valid = text.decode("utf-8", "replace")
        is_valid = valid.encode() == text
        if is_valid and not any(mark in text for mark in (b"\\u", b"NaN", b"Infinity")):
            raise
        try:
            found = json.loads(valid)
        except (ValueError, RecursionError):
            raise error from None
        if not is_valid:
            spoiled.add(TEXT)
        return found


def json_document(content: bytes) -> Any:
    """What JSON says; bytes that are no UTF-8 become U+FFFD, an empty body is an empty object, and null is
    what is nested too deep for the parser.

    Raises:
        orjson.JSONDecodeError: it is no JSON.
    """
    try:
        return orjson.loads(content) if content.strip() else {}
    except orjson.JSONDecodeError:
        return orjson.loads(shallow(content).decode("utf-8", "replace"))
