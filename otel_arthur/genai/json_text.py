"""JSON held in attribute texts, whole or cut by a length limit."""

from __future__ import annotations

from typing import Any

import orjson

_CLOSING = {"{": "}", "[": "]"}
_MAX_ATTEMPTS = 64


def parse_json(text: str) -> tuple[Any, bool]:
    """Parse `text`; returns the value and whether it had been cut.

    An attribute value length limit cuts JSON without a mark (OpenTelemetry specification,
    "Attribute Limits"). What stands before the cut is kept: open texts, lists and maps are
    closed where the text ends. Text that is no JSON at all is returned as it is.
    """
    try:
        return orjson.loads(text), False
    except orjson.JSONDecodeError:
        pass
    stripped = text.lstrip()
    if not stripped or stripped[0] not in "[{":
        return text, False
    salvaged = _salvage(stripped)
    return (text, False) if salvaged is None else (salvaged, True)


def _salvage(text: str) -> Any:
    """The value of the longest prefix of `text` that can be closed to valid JSON, or None.

    One pass notes, for each place where a value may end, the containers open there; then the
    last few such places are tried, from the end.
    """
    places: list[tuple[int, str]] = []
    stack: list[str] = []
    in_text = False
    escaped = False
    for index, char in enumerate(text):
        if in_text:
            if escaped:
                escaped = False
            elif char == "\\":
                escaped = True
            elif char == '"':
                in_text = False
                places.append((index + 1, "".join(reversed(stack))))
        elif char == '"':
            in_text = True
        elif char in _CLOSING:
            stack.append(_CLOSING[char])
            places.append((index + 1, "".join(reversed(stack))))
        elif char in "}]":
            if not stack or stack.pop() != char:
                break
            places.append((index + 1, "".join(reversed(stack))))
        elif char == ",":
            places.append((index, "".join(reversed(stack))))
        if len(stack) > 200:
            return None
        del places[: -2 * _MAX_ATTEMPTS]
    if in_text:
        closing = '"' + "".join(reversed(stack))
        # A cut may fall inside an escape such as \ud83d: drop up to its six characters.
        for dropped in range(13):
            value = _try(text[: len(text) - dropped] + closing)
            if value is not None:
                return value
    elif (value := _try(text + "".join(reversed(stack)))) is not None:
        return value
    for end, closing in reversed(places[-_MAX_ATTEMPTS:]):
        value = _try(text[:end] + closing)
        if value is not None:
            return value
    return None


def _try(text: str) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None
