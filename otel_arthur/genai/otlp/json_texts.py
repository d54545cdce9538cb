"""The JSON objects in a file, whatever their arrangement: one, a list, one a line, or as `jq` prints them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from typing import IO, Any, cast

import orjson

from otel_arthur.genai.otlp.json_depth import shallow
from otel_arthur.genai.otlp.json_form import OTLPError
from otel_arthur.genai.otlp.mending import TEXT
from otel_arthur.genai.otlp.spoiled import Spoiled

HINT = "export it with a Collector's file exporter, or save the body of an OTLP request"
_CLOSING = {b"{": b"}", b"[": b"]"}


def documents(stream: IO[bytes], longest: int, spoiled: Spoiled) -> Iterator[tuple[str, Any]]:
    """The objects of a text, each with where it is.

    Args:
        stream: the text.
        longest: bytes of an object at most.
        spoiled: told which lines are passed over.

    Raises:
        OTLPError: there is none.
    """
    number, found, failure = 0, False, ""
    while line := stream.readline(longest + 1):
        number += 1
        if len(line) > longest:
            raise OTLPError(f"a line in it is longer than {longest // 1024**2} MB; {HINT}")
        if line.isspace():
            continue
        where, text = f"line {number}: ", line
        if (closing := _CLOSING.get(line.strip())) is not None:
            text += _until(stream, closing, longest - len(line))
            number += text.count(b"\n") - 1
        try:
            document = _loads(text, spoiled)
        except ValueError as error:
            # One object may be on many lines, however they are broken.
            rest = b"" if found or failure else stream.read(longest + 1 - len(text))
            try:
                document = _loads(text + rest, spoiled)
            except ValueError:
                failure = failure or f"{where[:-2]} is not JSON: {error}"
                spoiled.add("a line that is not JSON", f"{where}{error}")
                stream = BytesIO(rest) if rest else stream
                continue
        found = True
        items = cast("list[Any]", document) if isinstance(document, list) else []
        if items and all(isinstance(item, dict) for item in items):
            yield from ((f"item {index}: ", item) for index, item in enumerate(items, 1))
        else:
            yield where, document
    if failure and not found:
        raise OTLPError(f"{failure}; {HINT}")


def _until(stream: IO[bytes], closing: bytes, longest: int) -> bytes:
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
