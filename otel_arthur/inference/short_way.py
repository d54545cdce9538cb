"""`ShortWays`: from a planned call straight to its row and its evidence, where every value is a copy.

Learnt by example, so that nothing is told twice: two calls, alike in what they have and different in every
value, go the long way (`Planned.whole`, `Builder.inferences`, `evidence_of`). What the row and the evidence
of both have from one place is a copy from there, and what is the same in both is the same in all such calls.
Where anything is neither, there is no short way. `tests/genai/test_plans.py` compares the two ways.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from msgspec.structs import astuple
from orjson import dumps

from otel_arthur.genai.attributes import count, text
from otel_arthur.genai.call import Choice, Message, TextPart
from otel_arthur.genai.call_of_span import resource_fields
from otel_arthur.genai.duplicates.evidence import LONGEST_NAME, Evidence, checksum, evidence_of
from otel_arthur.genai.json_text import clean
from otel_arthur.genai.planned import USAGE, Planned
from otel_arthur.genai.span import Kin, SpanView
from otel_arthur.genai.stated import STATED
from otel_arthur.genai.tables.copies import Copy, Made, copies_in, made
from otel_arthur.genai.tables.layout import CONVERSIONS, FIELDS
from otel_arthur.inference.identity import partner_inference_id
from otel_arthur.inference.times import rfc3339, seconds_between
from otel_arthur.inference.transcript import said

if TYPE_CHECKING:
    from otel_arthur.inference.build import Builder

_MANY: Final = 256
"""Short ways remembered; then it begins anew."""
_NOTHING: Final[Mapping[str, Any]] = {}
_START: Final = FIELDS.index("start_ns")
_ASKED, _TOLD, _TOTAL = [FIELDS.index(f"usage.{name}") for name in ("input", "output", "total")]
_COMPUTED: Final = (
    *("identity", "timestamp", "trace_id", "span_id", "parent_span_id", "end_ns", "duration"),
    *("input_text", "output_text", "finish_reason", "system_prompt", "last_user_message"),
    *("question", "answer", "above", "below"),
)
"""What stands behind the fields of a call in its values, in order."""
_AT: Final = {name: place for place, name in enumerate(_COMPUTED, len(FIELDS))}
_NAMES: Final = frozenset(
    [*[place for place, name in enumerate(FIELDS) if CONVERSIONS[name] is text], _AT["finish_reason"]]
)
"""Texts that are short and plain in nearly all calls."""
_IDENTITY: Final = _AT["identity"]
_UNSURE: Final = frozenset(
    [*range(USAGE.start + 2, USAGE.stop), _AT["system_prompt"], _AT["last_user_message"]]
)
"""What one call has and another lacks, though both take the same way."""

InputText: TypeAlias = Callable[[str | None, Sequence[Message]], str | None]
"""From operation and messages to an input's text; None is the transcript."""
Taken: TypeAlias = tuple[str, bytes, Evidence]
"""Id, row, evidence."""
_Lesson: TypeAlias = tuple[dict[str, Any], tuple[Any, ...]]
"""A row, and the fields of its evidence: each value a `Copy`, several of such, or what all have."""


class ShortWays:
    """The short ways of a builder's rows, each learnt when its first call comes. Not safe for threads."""

    __slots__ = ("_builder", "_known", "_resource", "_service")

    def __init__(self, builder: Builder) -> None:
        self._builder = builder
        # The spans of a process share one resource.
        self._resource, self._service = _NOTHING, resource_fields(_NOTHING)
        self._known: dict[tuple[Any, ...], _ShortWay | None] = {}

    def take(self, planned: Planned) -> Taken | None:
        """As `taken`, of one call."""
        return next(self.taken((planned,)))

    def taken(self, calls: Iterable[Planned]) -> Iterator[Taken | None]:
        """The row and evidence of each call; None of one that has no short way."""
        way: _ShortWay | None = None
        plan = places = operation = has_reason = taken = None
        for planned in calls:
            try:
                view, layout, looked = planned.view, planned.layout, planned.looked
                if view.resource is not self._resource:
                    self._resource, self._service = view.resource, resource_fields(view.resource)
                    plan = None
                # What all calls of one way have in common: most come after another of theirs.
                if (
                    layout.plan is not plan
                    or planned.places[1] is not places
                    or planned.operation is not operation
                    or (planned.choice.finish_reason is not None) is not has_reason
                    or looked is not None
                ):
                    plan, places, operation = layout.plan, planned.places[1], planned.operation
                    has_reason = planned.choice.finish_reason is not None
                    # A field of an attribute of its own has a value.
                    found = tuple(places if looked is None else looked.sources)
                    way = self._way((plan, self._service, operation, has_reason, found), planned)
                    plan = plan if looked is None else None
                has_other_times = view.events and layout.dialect.first_token_event is not None
                taken = None if way is None or planned.extra or has_other_times else way.take(planned)
                if looked is not None and looked.truncated:
                    taken = None  # Asked last: a document of tokens, too, may turn out to be cut.
            except Exception:  # a call of a shape never seen: the long way says so
                taken = plan = None
            yield taken

    def _way(self, key: tuple[Any, ...], like: Planned) -> _ShortWay | None:
        """The way of calls with this key, learnt from one of them."""
        try:
            return self._known[key]
        except KeyError:
            pass
        input_text = self._builder.input_text_of(like.operation)
        are_stated = STATED in like.view.attributes
        one, other = (
            None if are_stated else _lesson(self._builder, input_text, _example(like, number))
            for number in (1, 2)
        )
        if len(self._known) >= _MANY:
            self._known.clear()
        way = self._known[key] = None if one is None or one != other else _ShortWay(input_text, *one)
        return way


class _ShortWay:
    """The way of calls that are alike in what they have."""

    __slots__ = ("_input_text", "_made", "_unsure")

    def __init__(self, input_text: InputText | None, row: dict[str, Any], evidence: tuple[Any, ...]) -> None:
        self._input_text = input_text
        parts: dict[str, Any] = row["inference_data"]
        places = {part.place for part in copies_in((*parts.values(), *evidence))}
        names = tuple([Copy(place) for place in sorted(_NAMES & places)])
        self._made = made(Made("".join, (names,)), row, Made(Evidence, evidence))
        self._unsure = [name for name, part in parts.items() if type(part) is Copy and part.place in _UNSURE]

    def take(self, planned: Planned) -> Taken | None:
        """As `ShortWays.taken`, of one call."""
        values = _values_of(planned, self._input_text)
        if values is None:
            return None
        names, row, evidence = self._made(values)
        if len(names) > LONGEST_NAME or "\0" in names or not (names.isascii() or clean(names) is names):
            return None
        if self._unsure:
            data = row["inference_data"]
            for name in self._unsure:
                if data[name] is None:
                    del data[name]
        try:
            return values[_IDENTITY], dumps(row), evidence
        except TypeError:  # no Unicode
            return None


def _values_of(planned: Planned, input_text: InputText | None) -> list[Any] | None:
    """The fields that tables name, then `_COMPUTED`; None where a dialect does not take the tokens that were
    written, and where an answer is more than words or has a NUL.

    Args:
        input_text: None is the transcript.
    """
    view, choice, messages, fields = planned.view, planned.choice, planned.messages, planned.fields
    parts = choice.message.parts
    if len(parts) != 1 or type(part := parts[0]) is not TextPart:
        return None
    trace_id, span_id, kin = view.trace_id, view.span_id, view.kin
    answer, start, end = part.text, fields[_START] or view.start_ns, view.end_ns
    transcript, system, question = said(messages)
    words = None if input_text is None else input_text(planned.operation, messages)
    # In texts the character is found ten times as fast as the six that JSON has for it.
    if "\0" in transcript or "\0" in answer:
        return None
    values = [
        *fields,
        partner_inference_id(trace_id, span_id),
        rfc3339(end),
        trace_id,
        span_id,
        view.parent_span_id,
        end,
        seconds_between(start, end),
        transcript if words is None else words,
        answer,
        choice.finish_reason,
        system,
        question,
        None if question is None else checksum(question),
        checksum(answer),
        kin.above,
        kin.below,
    ]
    values[_START] = start
    total = planned.plain_total
    if total is not None:
        values[_TOTAL] = total
        return values
    usage = planned.usage
    if (usage.input is None) is not (fields[_ASKED] is None):
        return None
    if (usage.output is None) is not (fields[_TOLD] is None):
        return None
    values[USAGE] = astuple(usage)
    return values


def _example(like: Planned, number: int) -> Planned:
    """A call that has what another one has, with values of its own."""
    fields: list[Any] = [
        None if value is None else _value(place, number) for place, value in enumerate(like.fields)
    ]
    fields[FIELDS.index("choice_count")] = None
    if fields[_ASKED] and fields[_TOLD] and fields[_TOTAL]:
        fields[_TOTAL] = fields[_ASKED] + fields[_TOLD]
    view = SpanView(
        *(f"{number:032x}", f"{number:016x}", f"{number + 10:016x}", like.view.name),
        *(like.view.scope, like.view.scope_version, 10**12 * number, 10**12 * number + 10**15 + number),
        *(0, "", _NOTHING, (), like.view.resource, 0, Kin((f"above {number}",), (f"below {number}",))),
    )
    reason = None if like.choice.finish_reason is None else f"reason {number}"
    return Planned(
        *(view, like.layout, like.operation, fields),
        (_message("system", number), _message("user", number)),
        *(Choice(_message("assistant", number), reason), like.places),
    )


def _value(place: int, number: int) -> Any:
    """A value of a field that no other field has: parts of usage are less than their whole."""
    name = FIELDS[place]
    if CONVERSIONS[name] is text:
        return f"{name} {number}"
    if CONVERSIONS[name] is count:
        return (10**6 if name in ("usage.input", "usage.output") else 10) * (place + 1) + number
    return 10**9 * place + number if place == _START else place + number / 8


def _message(role: str, number: int) -> Message:
    return Message(role, (TextPart(f"words of {role} {number}"),))


def _lesson(builder: Builder, input_text: InputText | None, example: Planned) -> _Lesson | None:
    """What an example's row and evidence have from where."""
    call, values = example.whole(), _values_of(example, input_text)
    rows = builder.inferences(call)
    if values is None or len(rows) != 1 or rows[0].left_out or len(rows[0].data) < 2:
        return None
    places: dict[tuple[Any, Any], Copy] = {}
    for place, value in enumerate(values):
        if value is not None and places.setdefault((value.__class__, value), Copy(place)).place != place:
            return None  # It could be a copy from either.

    def source(value: Any) -> Any:
        kind: Any = value.__class__
        if kind is dict:
            return {name: source(one) for name, one in value.items()}
        if kind is list:
            return value
        copy = places.get((kind, value))
        if copy is None and kind is tuple:
            return tuple([source(one) for one in value])
        return value if copy is None else copy

    return source(rows[0].as_json()), source(astuple(evidence_of(call)))
