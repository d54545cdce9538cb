"""`Layout`: what a dialect's table comes to for one set of attribute names.

An instrumentation writes few different sets of names, so the work is done once for each: the choice of the
dialect, the fields that a span can have, and the places where its words can be cost nothing afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple, cast

from otel_arthur.genai.attributes import SpanAttributes, count, number, seconds, text
from otel_arthur.genai.call import LLMCall, Usage
from otel_arthur.genai.dialects import dialect_of
from otel_arthur.genai.likelihoods import LIKELIHOODS, TIME_TO_FIRST_TOKEN, TOKENS
from otel_arthur.genai.span import SpanView
from otel_arthur.genai.tables.dialect import Dialect
from otel_arthur.genai.tables.documents import Wanted
from otel_arthur.genai.tables.places import Place, place_of
from otel_arthur.genai.tables.plan import TYPES, Plan, plan_of
from otel_arthur.genai.tables.sources import Source, each, is_there
from otel_arthur.genai.tables.words import ANYWHERE_ANSWER, ANYWHERE_QUESTION, REASONS, SYSTEM
from otel_arthur.genai.usage import counted

_MAX_LAYOUTS: Final = 1_024
"""Layouts remembered; then it begins anew."""
_MAX_NAMES: Final = 128
_MAX_CHARACTERS: Final = 8_192
"""Of scope and names of a layout that is remembered: a longer one is hostile, or has numbered names."""

CONVERSIONS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "provider": text,
    "request_model": text,
    "response_model": text,
    "response_id": text,
    "temperature": number,
    "top_p": number,
    "max_tokens": count,
    "time_to_first_token": seconds,
    "conversation_id": text,
    "user_id": text,
    "error_type": text,
    "error_message": text,
    "usage.input": count,
    "usage.output": count,
    "usage.total": count,
    "usage.cached": count,
    "usage.cache_write": count,
    "usage.reasoning": count,
    "start_ns": int,
    "choice_count": count,
}
"""Every field that a dialect's table may name -> the conversion of its values."""
OF_CALL: Final = LLMCall.__struct_fields__[LLMCall.__struct_fields__.index("provider") :]
OF_USAGE: Final = Usage.__struct_fields__
FIELDS: Final = (*OF_CALL, *[f"usage.{name}" for name in OF_USAGE], "start_ns", "choice_count")
"""In the order in which values are kept: first those that end a `LLMCall`, then those of its `Usage`."""


_OURS: Final = {"time_to_first_token": (TIME_TO_FIRST_TOKEN,)}
"""Rows that end those of every dialect."""


class Step(NamedTuple):
    """One place, or neighbours in one map: places that differ in their last name only."""

    holder: tuple[str, ...]
    """The path of the map, from the attribute on; empty for one place of another kind."""
    places: tuple[tuple[str, Place, str], ...]
    """Last name, place, and its text, for `sources`."""


class Search(NamedTuple):
    """A field whose first place may be empty, and all places that could fill it."""

    field: int
    """Place in `FIELDS`."""
    steps: tuple[Step, ...]
    convert: Callable[[Any], Any]


class Layout(NamedTuple):
    """What a span's scope and the names of its attributes tell of it."""

    dialect: Dialect
    copies: tuple[tuple[int, str, Callable[[Any], Any]], ...]
    """Place in `FIELDS`, attribute, conversion, of each field whose first place is an attribute."""
    sources: Mapping[str, str]
    """Field -> attribute, of those."""
    searches: tuple[Search, ...]
    """Of fields that stand elsewhere, or that a copy may leave empty."""
    question: tuple[Source, ...]
    answer: tuple[Source, ...]
    """Places for the two halves of the conversation, the dialect's own first."""
    has_likelihoods: bool
    """Whether our own attributes of token likelihoods are there."""
    system: tuple[tuple[Place, str], ...]
    reasons: tuple[tuple[Place, str], ...]
    plan: Plan | None
    """The short way, where there is one."""
    keeps_counts: bool
    """Whether the counts of one answer, none of them zero, are those that were written."""


_layouts: dict[tuple[object, ...], Layout] = {}


def layout_of(view: SpanView) -> Layout:
    """The layout of a span in the dialect in which it is written."""
    names = tuple(view.attributes)
    # Events, and whether attributes were dropped, have a say in which dialect it is.
    events: tuple[str, ...] = ()
    key: tuple[object, ...] = (view.scope, names)
    if view.events or view.dropped_attributes:
        events = tuple(dict.fromkeys([event.name for event in view.events]))
        key = (view.scope, names, events, view.dropped_attributes > 0)
    layout = _layouts.get(key)
    if layout is None:
        layout = _layout(dialect_of(view), view.scope, names, frozenset(events))
        all_names = (*names, *events)
        if len(all_names) <= _MAX_NAMES and sum(map(len, all_names)) + len(view.scope) <= _MAX_CHARACTERS:
            if len(_layouts) >= _MAX_LAYOUTS:
                _layouts.clear()
            _layouts[key] = layout
    return layout


def fields_of(attributes: SpanAttributes, layout: Layout) -> list[Any]:
    """The plain fields in the order of `FIELDS`, each of its own type; None where the span has none of it."""
    values = attributes.attributes
    found: list[Any] = [None] * len(FIELDS)
    for index, key, convert in layout.copies:
        found[index] = convert(values[key])
    fill(found, attributes, layout.searches)
    return found


def fill(found: list[Any], attributes: SpanAttributes, searches: Sequence[Search]) -> None:
    """Look for the fields that have no value yet."""
    for search in searches:
        if found[search.field] is None:
            found[search.field] = _search(attributes, search)


def _search(attributes: SpanAttributes, search: Search) -> Any:
    for holder, places in search.steps:
        if holder:
            document = attributes.under(holder)
            if document.__class__ is not dict and not isinstance(document, Mapping):
                continue
            values = cast("Mapping[str, Any]", document)
            found = [(values[last], source) for last, _, source in places if last in values]
        else:
            found = [(attributes.at(place), source) for _, place, source in places]
        for value, source in found:
            if value is not None and (value := search.convert(value)) is not None:
                attributes.sources[FIELDS[search.field]] = source
                return value
    return None


def _steps(places: Sequence[Place]) -> tuple[Step, ...]:
    """Places in order, neighbours in one map together."""
    steps: list[Step] = []
    for place, source in each(places):
        is_path = bool(place.path) and place == Place(place.attribute, place.path)
        holder = (place.attribute, *place.path[:-1]) if is_path else ()
        entry = (place.path[-1] if is_path else "", place, source)
        if steps and holder and steps[-1].holder == holder:
            steps[-1] = Step(holder, (*steps[-1].places, entry))
        else:
            steps.append(Step(holder, (entry,)))
    return tuple(steps)


def _layout(dialect: Dialect, scope: str, names: tuple[str, ...], events: frozenset[str]) -> Layout:
    there = frozenset(names)

    def found(row: Sequence[str | Place]) -> list[Place]:
        return [place for place in map(place_of, row) if is_there(place, there, events)]

    copies: list[tuple[int, str, Callable[[Any], Any]]] = []
    searches: list[Search] = []
    wanted: list[Wanted] = []
    for index, field in enumerate(FIELDS):
        convert = CONVERSIONS[field]
        places = found((*dialect.fields.get(field, ()), *_OURS.get(field, ())))
        if places and places[0] == Place(places[0].attribute):
            copies.append((index, places.pop(0).attribute, convert))
        elif places:
            wanted.append(Wanted(index, field, each(places), convert, TYPES[convert]))
        if places:
            searches.append(Search(index, _steps(places), convert))
    question = tuple([s for s in (*dialect.question, *ANYWHERE_QUESTION) if s.may_be_in(there, events)])
    answer = tuple([s for s in (*dialect.answer, *ANYWHERE_ANSWER) if s.may_be_in(there, events)])
    has_likelihoods = not there.isdisjoint((TOKENS, LIKELIHOODS))
    has_plan = bool(question and answer) and not has_likelihoods
    reasons = each(found((*dialect.reasons, *REASONS)))
    return Layout(
        dialect,
        tuple(copies),
        {FIELDS[index]: key for index, key, _ in copies},
        tuple(searches),
        question,
        answer,
        has_likelihoods,
        each(found((*dialect.system, *SYSTEM))),
        reasons,
        plan_of(names, copies, len(FIELDS), wanted, question[0].usual, answer[0].usual, reasons)
        if has_plan
        else None,
        dialect.usage in (None, counted) or dialect.keeps_counts(scope),
    )
