"""The plain fields of a span: which are there is told by its attributes' names, what they are by the values.

An instrumentation writes few different sets of names, so what a dialect's table says of a set is worked
out once and remembered: the many fields that a span has not then cost nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

from otel_arthur.genai.bag import Bag, count, number, text
from otel_arthur.genai.dialect import Dialect

_Names: TypeAlias = tuple[str, ...]
_MAX_PLANS: Final = 256
"""Sets of names remembered per dialect; then it begins anew."""
_MAX_CHARACTERS: Final = 8_192
"""Of the names of a set that is remembered: a longer one is hostile, or has numbered names."""


class _Plan(NamedTuple):
    """The fields that a set of names has, and where."""

    steps: tuple[tuple[str, str, Callable[[Any], Any]], ...]
    """Field, attribute, conversion."""
    sources: Mapping[str, str]


_plans: dict[Dialect, dict[_Names, _Plan]] = {}


def fields_of(bag: Bag, dialect: Dialect) -> dict[str, Any]:
    """Field -> value, for the fields that the span has, each of its own type; a value of another is None."""
    attributes = bag.attributes
    names = tuple(attributes)
    plans = _plans.get(dialect)
    plan = plans.get(names) if plans is not None else None
    if plan is None:
        plan = _plan(dialect, names)
    values = {field: convert(attributes[key]) for field, key, convert in plan.steps}
    bag.sources.update(plan.sources)
    if dialect.derived is not None:
        for field, (value, source) in dialect.derived(bag).items():
            if value is not None and values.get(field) is None:
                values[field] = CONVERSIONS[field](value)
                bag.sources[field] = source
    return values


CONVERSIONS: Mapping[str, Callable[[Any], Any]] = {
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
"""Every field that a dialect's table may name."""


def _plan(dialect: Dialect, names: _Names) -> _Plan:
    there = frozenset(names)
    sources = {
        field: key
        for field, keys in dialect.keys.items()
        if (key := next((key for key in keys if key in there), None)) is not None
    }
    plan = _Plan(tuple([(field, key, CONVERSIONS[field]) for field, key in sources.items()]), sources)
    if sum(map(len, names)) <= _MAX_CHARACTERS:
        plans = _plans.setdefault(dialect, {})
        if len(plans) >= _MAX_PLANS:
            plans.clear()
        plans[names] = plan
    return plan
