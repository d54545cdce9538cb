"""The plain fields of a span: which are there is told by its attributes' names, what they are by the values.

An instrumentation writes few different sets of names, so what a dialect's table says of a set is worked
out once and remembered: the choice of the dialect and the many fields that a span has not then cost nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from otel_arthur.genai.bag import Bag, count, number, text
from otel_arthur.genai.dialect import Dialect
from otel_arthur.genai.dialects import dialect_of
from otel_arthur.genai.span import SpanView

_MAX_LAYOUTS: Final = 1_024
"""Layouts remembered; then it begins anew."""
_MAX_NAMES: Final = 128
_MAX_CHARACTERS: Final = 8_192
"""Of scope and names of a layout that is remembered: a longer one is hostile, or has numbered names."""


class Layout(NamedTuple):
    """What a span's scope and the names of its attributes tell of it."""

    dialect: Dialect
    steps: tuple[tuple[int, str, Callable[[Any], Any]], ...]
    """Place of a field, attribute, conversion, for each plain field that is there."""
    sources: Mapping[str, str]
    """Field -> attribute."""


_layouts: dict[tuple[str, tuple[str, ...]], Layout] = {}


def layout_of(view: SpanView) -> Layout:
    """The layout of a span in the dialect in which it is written."""
    names = tuple(view.attributes)
    if view.events or view.dropped_attributes:
        # They have a say in which dialect it is.
        return _layout(dialect_of(view), names)
    layout = _layouts.get((view.scope, names))
    if layout is None:
        layout = _layout(dialect_of(view), names)
        if len(names) <= _MAX_NAMES and sum(map(len, names)) + len(view.scope) <= _MAX_CHARACTERS:
            if len(_layouts) >= _MAX_LAYOUTS:
                _layouts.clear()
            _layouts[view.scope, names] = layout
    return layout


def fields_of(bag: Bag, layout: Layout) -> list[Any]:
    """The plain fields in the order of `FIELDS`, each of its own type; None where the span has none of it."""
    attributes = bag.attributes
    values = [None] * len(FIELDS)
    for place, key, convert in layout.steps:
        values[place] = convert(attributes[key])
    bag.sources.update(layout.sources)
    derived = layout.dialect.derived
    if derived is not None:
        for field, (value, source) in derived(bag).items():
            place = _PLACES[field]
            if value is not None and values[place] is None:
                values[place] = _CONVERSIONS[field](value)
                bag.sources[field] = source
    return values


_CONVERSIONS: Mapping[str, Callable[[Any], Any]] = {
    "start_ns": int,
    "provider": text,
    "request_model": text,
    "response_model": text,
    "response_id": text,
    "temperature": number,
    "top_p": number,
    "max_tokens": count,
    "time_to_first_token": number,
    "conversation_id": text,
    "user_id": text,
    "error_type": text,
    "usage.input": count,
    "usage.output": count,
    "usage.total": count,
    "usage.cached": count,
    "usage.cache_write": count,
    "usage.reasoning": count,
}

FIELDS: Final = tuple(_CONVERSIONS)
"""Every field that a dialect's table may name, in the order in which they are given."""
_PLACES: Final = {field: place for place, field in enumerate(FIELDS)}


def _layout(dialect: Dialect, names: tuple[str, ...]) -> Layout:
    there = frozenset(names)
    sources = {
        field: key
        for field, keys in dialect.keys.items()
        if (key := next((key for key in keys if key in there), None)) is not None
    }
    return Layout(
        dialect,
        tuple([(_PLACES[field], key, _CONVERSIONS[field]) for field, key in sources.items()]),
        sources,
    )
