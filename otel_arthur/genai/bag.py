"""`Bag`: a span's attributes, from which a dialect takes what it knows, remembering what it took."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, cast

from otel_arthur.genai.messages.json_text import clean, parse_json
from otel_arthur.genai.span import EventView, SpanView

MAX_COUNT = 10**15
"""More than any model counts; JSON keeps it exactly."""


class Bag:
    """Look-ups over one span. `sources` tells, per field, the attribute that filled it (for `inspect`)."""

    __slots__ = ("attributes", "sources", "truncated", "view")

    def __init__(self, view: SpanView) -> None:
        self.view = view
        self.attributes: Mapping[str, Any] = view.attributes
        self.sources: dict[str, str] = {}
        self.truncated = False

    def take(self, field: str, keys: tuple[str, ...]) -> Any:
        """The value of the first of `keys` that is present, or None."""
        attributes = self.attributes
        for key in keys:
            value = attributes.get(key)
            if value is not None:
                self.sources[field] = key
                return value
        return None

    def take_json(self, field: str, keys: tuple[str, ...]) -> Any:
        """As `take`, with JSON text parsed; text that was cut is salvaged and flags the call `truncated`."""
        return self.parsed(self.take(field, keys))

    def parsed(self, value: Any) -> Any:
        """A value with its JSON text parsed, as `take_json` does."""
        if value is None:
            return None
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        if not isinstance(value, str):
            return value
        parsed, cut = parse_json(value)
        self.truncated = self.truncated or cut
        return parsed

    def take_text(self, field: str, keys: tuple[str, ...]) -> str | None:
        """As `take`, for text; an empty text is absent."""
        return text(self.take(field, keys))

    def event(self, field: str, name: str) -> EventView | None:
        """The first event called `name`."""
        for event in self.view.events:
            if event.name == name:
                self.sources[field] = f"event {name}"
                return event
        return None


def document(value: Any) -> Mapping[str, Any]:
    """A map, or the map in a JSON text; else an empty one."""
    parsed = parse_json(value)[0] if isinstance(value, str) else value
    return cast("Mapping[str, Any]", parsed) if isinstance(parsed, Mapping) else {}


def text(value: Any) -> str | None:
    """A non-empty text, or None."""
    if type(value) is str and value.isascii():
        return value or None
    if value is None:
        return None
    if isinstance(value, str):
        return clean(value) or None
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace") or None
    if isinstance(value, bool | int | float):
        return str(value)
    return None


def count(value: Any) -> int | None:
    """A count that is not negative, from a number or its text, or None."""
    if type(value) is int:
        return value if 0 <= value <= MAX_COUNT else None
    result = number(value)  # None for None
    return int(result) if result is not None and 0 <= result <= MAX_COUNT else None


def number(value: Any) -> float | None:
    """A finite number from a number or its text, or None."""
    if type(value) is float:
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, bool):
        return None
    try:
        result = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return result if math.isfinite(result) else None
