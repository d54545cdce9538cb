"""`SpanAttributes`: what stands on a span, looked up by place; each JSON text is parsed once."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeVar, cast

from msgspec import Struct

from otel_arthur.genai.json_text import clean, parse_json
from otel_arthur.genai.span import EventView, SpanView
from otel_arthur.genai.tables.places import Place, descend, structure

_T = TypeVar("_T")
_UNKNOWN: Any = object()
MAX_COUNT = 10**15
"""More than any model counts; JSON keeps it exactly."""


class SpanAttributes(Struct):
    """Look-ups over one span."""

    view: SpanView
    attributes: Mapping[str, Any]
    """Those of `view`."""
    sources: dict[str, str]
    """Per field, the place that filled it (for `inspect`)."""
    truncated: bool = False
    _parsed: dict[str, Any] = {}
    _under: dict[tuple[str, ...], Any] = {}

    def get(self, key: str) -> Any:
        """The attribute as it was written, or None."""
        return self.attributes.get(key)

    def json(self, key: str) -> Any:
        """The attribute, its JSON text parsed; a text that was cut is salvaged and the call `truncated`."""
        value = self.attributes.get(key)
        if not isinstance(value, str | bytes):
            return value
        if key not in self._parsed:
            self._parsed[key] = self.parsed(value)
        return self._parsed[key]

    def document(self, key: str) -> Mapping[str, Any]:
        """The map in the attribute, or an empty one."""
        return as_map(self.json(key))

    def at(self, place: Place) -> Any:
        """The value at a place, converted as the place says, or None."""
        if place.event is not None:
            event = self.event(place.event)
            value = None if event is None else event.attributes.get(place.attribute)
            if place.path:
                value = self.parsed(value)
        else:
            value: Any = self.json(place.attribute) if place.path else self.attributes.get(place.attribute)
        if place.beside and place.beside not in as_map(value):
            return None
        if place.path:
            value = descend(value, place.path)
        return value if place.convert is None or value is None else place.convert(value, self.view)

    def under(self, path: tuple[str, ...]) -> Any:
        """What is at a path that begins with an attribute; many rows of a table go through the same one."""
        found = self._under.get(path, _UNKNOWN)
        if found is _UNKNOWN:
            found = self.json(path[0]) if len(path) == 1 else self._below(self.under(path[:-1]), path[-1])
            self._under[path] = found = self.parsed(found) if isinstance(found, str) else found
        return found

    def once(self, name: str, make: Callable[[SpanAttributes], _T]) -> _T:
        """The result of `make`, made once for this span: both halves of a conversation may come of it."""
        key = ("", name)
        if key not in self._under:
            self._under[key] = make(self)
        return self._under[key]

    @staticmethod
    def _below(value: Any, name: str) -> Any:
        if value.__class__ is dict:
            return value.get(name)
        return None if value is None else descend(value, (name,))

    def parsed_at(self, place: Place, value: Any) -> Any:
        """The value at a place, its JSON text parsed."""
        is_plain = place.event is None and not place.path and place.convert is None
        return self.json(place.attribute) if is_plain else self.parsed(value)

    def parsed(self, value: Any) -> Any:
        """A value with its JSON text parsed, as `json` does."""
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        if not isinstance(value, str):
            return value
        parsed, cut = parse_json(value)
        self.truncated = self.truncated or cut
        return structure(parsed) if parsed.__class__ is str and not parsed.isalpha() else parsed

    def event(self, name: str) -> EventView | None:
        """The last event called `name`, for what ends a call says most of it."""
        return next((event for event in reversed(self.view.events) if event.name == name), None)


def as_map(value: Any) -> Mapping[str, Any]:
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


def seconds(value: Any) -> float | None:
    """A time that is not negative, or None."""
    result = number(value)
    return result if result is not None and result >= 0 else None
