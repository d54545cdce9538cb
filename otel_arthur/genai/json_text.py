"""JSON held in attribute texts, whole or cut by a length limit; and texts that no encoder refuses."""

from __future__ import annotations

import json
import re
from collections import deque
from typing import Any

import orjson

_WORDS = ("true", "fals", "null")
_MAX_DEPTH = 200
_MAX_ATTEMPTS = 16
_MARK = re.compile(r'[\[\]{},"]')
_REST_OF_TEXT = re.compile(r'[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_WHOLE_ESCAPES = re.compile(r'[^\\]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^\\]*)*')
_HALF_PAIR = re.compile(r"\\u[dD][89abAB][0-9a-fA-F]{2}\Z")


def parse_json(text: str) -> tuple[Any, bool]:
    """Parse `text`; returns the value and whether it had been cut.

    An attribute value length limit cuts JSON without a mark (OpenTelemetry specification,
    "Attribute Limits"). What stands before the cut is kept: open texts, lists and maps are
    closed where the text ends. Text that is no JSON at all is returned as it is.
    """
    if text[:1].isalpha() and text[:4] not in _WORDS:
        return text, False  # Not even tried, for many attributes are a word.
    try:
        return orjson.loads(text), False
    except orjson.JSONDecodeError:
        pass
    stripped = text.lstrip()
    if not stripped or stripped[0] not in "[{":
        return text, False
    # Python's own writes NaN, lone surrogates and bare control characters, so it reads them too.
    value = _try(stripped)
    if value is not None:
        return value, False
    salvaged = _salvage(stripped)
    return (salvaged, True) if salvaged else (text, False)


def clean(text: str) -> str:
    """`text` with lone surrogates replaced, which neither JSON nor OTLP can carry."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def json_text(value: Any) -> str:
    """Compact JSON of any value that an attribute can hold; never raises."""
    try:
        return orjson.dumps(value, default=_as_text, option=orjson.OPT_NON_STR_KEYS).decode()
    except (TypeError, ValueError, RecursionError):
        pass
    try:
        return clean(json.dumps(value, default=_as_text, ensure_ascii=False, separators=(",", ":")))
    except (TypeError, ValueError, RecursionError):
        return f"a {type(value).__name__} that is no JSON"


def _as_text(value: Any) -> str:
    if isinstance(value, bytes | bytearray):
        return value.decode("utf-8", "replace")
    return clean(str(value))


def _salvage(text: str) -> Any:
    """The value of the longest prefix of `text` that can be closed to valid JSON, or None.

    One pass over the marks notes the places where a value may end, with what is open there;
    the last few of them are tried, from the end.
    """
    places: deque[tuple[int, str]] = deque(maxlen=_MAX_ATTEMPTS)
    open_, position = "", 0
    while (mark := _MARK.search(text, position)) is not None:
        char, position = mark[0], mark.end()
        if char == '"':
            end = _REST_OF_TEXT.match(text, position)
            if end is None:
                value = _try(_without_half_escape(text, position) + '"' + open_)
                return value if value is not None else _longest(text, places)
            position = end.end()
        elif char in "[{":
            open_ = ("]" if char == "[" else "}") + open_
            places.append((position, open_))
            if len(open_) > _MAX_DEPTH:
                return None
        elif char == ",":
            places.append((position - 1, open_))
        else:
            open_ = open_[1:] if open_[:1] == char else ""
            if not open_:
                # What has an end was not cut: this is prose that begins with a bracket.
                return None
            places.append((position, open_))
    value = _try(text + open_)
    return value if value is not None else _longest(text, places)


def _longest(text: str, places: deque[tuple[int, str]]) -> Any:
    for end, closing in reversed(places):
        value = _try(text[:end] + closing)
        if value is not None:
            return value
    return None


def _without_half_escape(text: str, start: int) -> str:
    """`text` without what a cut left of an escape in the text that begins at `start`."""
    whole = _WHOLE_ESCAPES.match(text, start)
    end = whole.end() if whole is not None else len(text)
    half = _HALF_PAIR.search(text, max(end - 6, start), end)
    return text[: half.start() if half is not None else end]


def _try(text: str) -> Any:
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None
