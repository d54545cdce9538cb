"""`ShortWays`: from a planned call straight to its row and its evidence, where every value is a copy.

Learnt by example, so that nothing is told twice: two calls, alike in what they have and different in every
value, go the long way (`Planned.whole`, `Builder.inferences`, `evidence_of`). What the row and the evidence
of both have from one place is a copy from there, and what is the same in both is the same in all such calls.
Where anything is neither, there is no short way. `tests/genai/test_plans.py` compares the two ways.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import msgspec
import orjson
from msgspec import Struct
from msgspec.structs import astuple

from otel_arthur.genai.attributes import count, text
from otel_arthur.genai.call import Choice, Message, TextPart
from otel_arthur.genai.call_of_span import resource_fields
from otel_arthur.genai.duplicates.evidence import LONGEST_NAME, Evidence, checksum, evidence_of
from otel_arthur.genai.json_text import clean
from otel_arthur.genai.planned import USAGE, Planned
from otel_arthur.genai.span import Kin, SpanView
from otel_arthur.genai.stated import STATED
from otel_arthur.genai.tables.copies import Copy, listed, made
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
    *("trace_id", "span_id", "parent_span_id", "end_ns", "duration"),
    *("input_text", "output_text", "finish_reason", "system_prompt", "last_user_message"),
    *("question", "answer", "above", "below"),
)
"""What stands behind the fields of a call in its values, in order."""
_AT: Final = {name: place for place, name in enumerate(_COMPUTED, len(FIELDS))}
_names = listed(
    [*[Copy(p) for p, name in enumerate(FIELDS) if CONVERSIONS[name] is text], Copy(_AT["finish_reason"])]
)
_INPUT: Final = _AT["input_text"]
_WORDS: Final = [_AT[n] for n in ("input_text", "output_text", "system_prompt", "last_user_message")]
_LONG: Final = 1_024
"""Characters of a question from which orjson writes texts faster than msgspec does."""
_KEPT: Final = 4 * 1024 * 1024
"""Bytes of a row whose memory is kept for the next one: a builder lives as long as its thread."""
_PLAIN: Final = re.compile(r"[\w .:/#@-]+", re.ASCII)
"""Names that stand in JSON as they are."""
_encode_into = msgspec.json.Encoder().encode_into


class _Row(Struct, gc=False):
    partner_inference_id: str
    inference_timestamp: str
    inference_data: Struct


InputText: TypeAlias = Callable[[str | None, Sequence[Message]], str | None]
"""From operation and messages to an input's text; None is the transcript."""
Taken: TypeAlias = tuple[str, bytearray, Evidence]
"""Id, row, evidence."""
_Lesson: TypeAlias = tuple[list[tuple[str, Any]], list[Any]]
"""Attributes of a row, and the fields of its evidence: each a `Copy`, a tuple of such, or what all have."""


class ShortWays:
    """The short ways of a builder's rows, each learnt when its first call comes. Not safe for threads."""

    __slots__ = ("_builder", "_known", "_resource", "_room", "_service")

    def __init__(self, builder: Builder) -> None:
        self._builder = builder
        # The spans of a process share one resource.
        self._resource, self._service = _NOTHING, resource_fields(_NOTHING)
        self._known: dict[tuple[Any, ...], _ShortWay | None] = {}
        self._room = bytearray()

    def take(self, planned: Planned) -> Taken | None:
        """The row and evidence of a call; None where one is no copy. The row holds until the next call."""
        view, layout = planned.view, planned.layout
        if view.resource is not self._resource:
            self._resource, self._service = view.resource, resource_fields(view.resource)
        # What all calls of one way have in common.
        # A field of an attribute of its own has a value.
        found = tuple(planned.places[1] if planned.looked is None else planned.looked.sources)
        has_no_reason = planned.choice.finish_reason is None
        key = (layout.plan, self._service, planned.operation, has_no_reason, found)
        try:
            way = self._known[key]
        except KeyError:
            way = self._learn(key, planned)
        if way is None or planned.extra or (view.events and layout.dialect.first_token_event is not None):
            return None
        values = _values_of(planned, self._builder.input_text)
        # Asked last: a document of tokens, too, may turn out to be cut.
        if values is None or (planned.looked is not None and planned.looked.truncated):
            return None
        taken = way.take(view, values, self._room)
        if len(self._room) > _KEPT:
            self._room = bytearray()
        return taken

    def _learn(self, key: tuple[Any, ...], like: Planned) -> _ShortWay | None:
        are_stated = STATED in like.view.attributes
        one, other = (
            None if are_stated else _lesson(self._builder, _example(like, number)) for number in (1, 2)
        )
        if len(self._known) >= _MANY:
            self._known.clear()
        way = self._known[key] = None if one is None or one != other else _ShortWay(*one)
        return way


class _ShortWay:
    """The way of calls that are alike in what they have."""

    __slots__ = ("_data", "_evidence", "_words")

    def __init__(self, row: Sequence[tuple[str, Any]], evidence: Sequence[Any]) -> None:
        parts = [part for _, part in row]
        self._data = made(_data_of(tuple([attribute for attribute, _ in row])), parts)
        self._words = [place for place in _WORDS if Copy(place) in parts]
        self._evidence = made(Evidence, evidence)

    def take(self, view: SpanView, values: list[Any], room: bytearray) -> Taken | None:
        """As `ShortWays.take`; None, too, where a text takes a longer look.

        Args:
            values: as of `_values_of`; they are changed.
            room: for the row.
        """
        names = "".join(filter(None, _names(values)))
        if len(names) > LONGEST_NAME or "\0" in names or clean(names) is not names:
            return None
        evidence = self._evidence(values)
        identity = partner_inference_id(view.trace_id, view.span_id)
        try:
            if len(values[_INPUT] or "") > _LONG:
                for place in self._words:
                    values[place] = values[place] and msgspec.Raw(orjson.dumps(values[place]))
            _encode_into(_Row(identity, rfc3339(view.end_ns), self._data(values)), room)
        except (UnicodeEncodeError, TypeError):
            return None
        return identity, room, evidence


@lru_cache(maxsize=64)
def _data_of(names: tuple[str, ...]) -> type[Struct]:
    """The data of a row. To make a class takes as long as to write four rows."""
    slots = {f"at_{place}": name for place, name in enumerate(names)}
    fields = [(slot, Any, None) for slot in slots]
    return msgspec.defstruct("Data", fields, rename=slots, omit_defaults=True, gc=False)


def _values_of(planned: Planned, input_text: InputText) -> list[Any] | None:
    """The fields that tables name, then `_COMPUTED`; None where a dialect does not take the tokens that were
    written, and where an answer is more than words or has a NUL."""
    view, choice, messages = planned.view, planned.choice, planned.messages
    parts = choice.message.parts
    if len(parts) != 1 or type(part := parts[0]) is not TextPart:
        return None
    values = planned.fields.copy()
    asked, told, total, cached, put, thought = values[USAGE]
    whole = asked + told if asked and told and not (cached or put or thought) else None
    if whole is not None and total in (None, whole) and planned.layout.keeps_counts:
        values[_TOTAL] = whole
    else:
        usage = planned.usage
        if (usage.input is None) is not (asked is None) or (usage.output is None) is not (told is None):
            return None
        values[USAGE] = astuple(usage)
    answer, end = part.text, view.end_ns
    start = values[_START] = values[_START] or view.start_ns
    transcript, system, question = said(messages)
    # In texts the character is found ten times as fast as the six that JSON has for it.
    if "\0" in transcript or "\0" in answer:
        return None
    words = input_text(planned.operation, messages)
    values += (
        *(view.trace_id, view.span_id, view.parent_span_id, end, seconds_between(start, end)),
        *(transcript if words is None else words, answer, choice.finish_reason, system, question),
        *(None if question is None else checksum(question), checksum(answer), view.kin.above, view.kin.below),
    )
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


def _lesson(builder: Builder, example: Planned) -> _Lesson | None:
    """What an example's row and evidence have from where."""
    call, values = example.whole(), _values_of(example, builder.input_text)
    rows = builder.inferences(call)
    if values is None or len(rows) != 1 or rows[0].left_out or len(rows[0].data) < 2:
        return None
    if not all(map(_PLAIN.fullmatch, rows[0].data)):
        return None
    places: dict[tuple[Any, Any], Copy] = {}
    for place, value in enumerate(values):
        if value is not None and places.setdefault((value.__class__, value), Copy(place)).place != place:
            return None  # It could be a copy from either.

    def source(value: Any) -> Any:
        kind: Any = value.__class__
        if kind is list:
            return value
        copy = places.get((kind, value))
        if copy is None and kind is tuple:
            return tuple([source(one) for one in value])
        return value if copy is None else copy

    row = [(name, source(value)) for name, value in rows[0].data.items()]
    evidence = [source(value) for value in astuple(evidence_of(call))]
    return row, evidence
