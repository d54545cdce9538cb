"""`Plan`: the short way through a layout, for a span whose values are all as they usually are.

Derived from the same rows as the layout's long way, and made once for each set of attribute names. All plain
fields are checked and taken at once, and both halves of the conversation are read in their usual form. A span
that differs in anything (a number as text, an empty name, a lone surrogate, a message of another form, a
second answer) is left to the long way, so that the two cannot disagree: `tests/genai/test_plans.py` compares
both.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, Final, TypeAlias

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import astuple

from otel_arthur.genai.attributes import MAX_COUNT, count, number, seconds, text
from otel_arthur.genai.call import Choice, Message, TextPart
from otel_arthur.genai.messages.finish_reasons import COMMON
from otel_arthur.genai.messages.numbered_form import Usual
from otel_arthur.genai.span import SpanView
from otel_arthur.genai.tables.copies import Copy, listed
from otel_arthur.genai.tables.documents import Documents, Wanted, documents_of
from otel_arthur.genai.tables.places import Place

_LARGEST: Final = 1e15
"""Of a number that every writer of JSON writes alike."""
TYPES: Final[Mapping[Callable[[Any], Any], Any]] = {
    text: Annotated[str, Meta(min_length=1)],
    count: Annotated[int, Meta(ge=0, le=MAX_COUNT)],
    number: Annotated[float, Meta(ge=-_LARGEST, le=_LARGEST)],
    seconds: Annotated[float, Meta(ge=0, le=_LARGEST)],
    int: int,
}
"""Conversion of a field -> the type of the values that it gives back as they are."""


_AT_FIRST: Final = 4
_NOWHERE: Final[Mapping[str, str]] = {}
Words: TypeAlias = tuple[Sequence[Message], Choice, Mapping[str, str]]
"""Messages, answer, and the places that they were read from."""
_PLAIN = re.compile(r"[\w./:-]+", re.ASCII)


class Plan:
    """See above. The first spans of a kind take the long way, for many kinds have no more.

    Args:
        names: the attributes of a span.
        copies: place of a field, attribute, conversion, as in `Layout`.
        width: how many fields there are.
        wanted: the fields that no attribute has to itself.
    """

    __slots__ = (
        "_answer",
        "_copies",
        "_documents",
        "_elsewhere",
        "_names",
        "_question",
        "_reason",
        "_record",
        "_seen",
        "_sources",
        "_sources_with_reason",
        "_unplanned",
        "_values",
        "_wanted",
        "_width",
        "_words",
    )

    def __init__(
        self,
        names: Sequence[str],
        copies: Sequence[tuple[int, str, Callable[[Any], Any]]],
        width: int,
        wanted: Sequence[Wanted],
        question: Usual,
        answer: Usual,
        reasons: Sequence[tuple[Place, str]],
    ) -> None:
        self._question = question.read
        self._answer = answer.read
        self._sources = {"messages": question.source, "choices": answer.source}
        first = None if not reasons else reasons[0][0]
        self._reason = first.attribute if first is not None and first == Place(first.attribute) else None
        self._sources_with_reason = {**self._sources, "finish_reasons": self._reason or ""}
        self._words = question.words and answer.words and [*question.words, *answer.words]
        self._names = names
        self._copies = copies
        self._wanted = wanted
        self._documents: Documents | None = None
        self._elsewhere = self._unplanned = frozenset([one.field for one in wanted])
        """Fields that no attribute has to itself, and those of them that documents have no short way to."""
        self._width = width
        self._values: Callable[[Sequence[Any]], list[Any]] = list
        self._record: type[Struct] | None = None
        self._seen = 0

    def fields(self, attributes: Mapping[str, Any]) -> list[Any] | None:
        """The plain fields in their order; None where a value is not as its field has it.

        A text may be no Unicode still.
        """
        if self._record is None:
            self._seen += 1
            if self._seen < _AT_FIRST:
                return None
            self._begin()
        try:
            record = astuple(msgspec.convert(attributes, self._record))
        except ValueError:  # of another type, or under a name that is no Unicode
            return None
        return self._values(record)

    def _begin(self) -> None:
        self._documents = documents_of(self._wanted)
        if self._documents is not None:
            self._unplanned = self._elsewhere - self._documents.fields
        record, slots = _record(self._names, self._copies)
        filled = {place: Copy(slots[name]) for place, name, _ in self._copies}
        self._values = listed([filled.get(place) for place in range(self._width)])
        # Last: another thread takes the plan for complete from here on.
        self._record = record

    def find(self, fields: list[Any], view: SpanView) -> tuple[Mapping[str, str], frozenset[int]]:
        """Put the fields that stand in documents into `fields`; returns where each was, and the fields that
        take a longer look."""
        documents = self._documents
        places = None if documents is None else documents.fill(fields, view)
        return (_NOWHERE, self._elsewhere) if places is None else (places, self._unplanned)

    def words(self, attributes: Mapping[str, Any]) -> Words | None:
        """What was said: a question and one answer, of messages that say something; None where that takes a
        longer look."""
        messages = self._question(attributes)
        if not messages:
            return None
        choices = self._answer(attributes)
        if not choices or len(choices) != 1:
            return None
        choice = choices[0]
        parts = choice.message.parts
        # A text that begins so may be the name of an object.
        if not parts or type(part := parts[0]) is not TextPart or not part.text or part.text[0] == "<":
            return None
        if choice.finish_reason is None and self._reason is not None:
            reason = attributes[self._reason]
            if reason.__class__ is tuple and len(reason) == 1:
                reason = reason[0]
            if reason.__class__ is str and reason in COMMON:
                return messages, Choice(choice.message, reason), self._sources_with_reason
        return messages, choice, self._sources

    def may_hide(self, hidden: str, attributes: Mapping[str, Any]) -> bool:
        """Whether a word that stands for hidden ones may be in what was said."""
        return self._words is None or hidden in [attributes[name] for name in self._words]


def _record(
    names: Sequence[str], copies: Sequence[tuple[int, str, Callable[[Any], Any]]]
) -> tuple[type[Struct], Mapping[str, int]]:
    """The type of all fields at once, and where in it each attribute is."""
    types = {name: TYPES[convert] for _, name, convert in copies}
    # Those that no field takes stand between: in order, each attribute is found at the first look.
    kept = [name for name in names if name in types or _PLAIN.fullmatch(name)]
    fields = [(f"at_{place}", types.get(name, Any)) for place, name in enumerate(kept)]
    renamed = {field[0]: name for field, name in zip(fields, kept, strict=True)}
    record = msgspec.defstruct("Record", fields, rename=renamed, gc=False)
    return record, {name: place for place, name in enumerate(kept)}


def plan_of(
    names: Sequence[str],
    copies: Sequence[tuple[int, str, Callable[[Any], Any]]],
    width: int,
    wanted: Sequence[Wanted],
    question: Callable[[Sequence[str]], Usual | None] | None,
    answer: Callable[[Sequence[str]], Usual | None] | None,
    reasons: Sequence[tuple[Place, str]],
) -> Plan | None:
    """The plan of spans with these attributes, None where a half of the conversation has no short way.

    Args:
        question: makes the short way to the first place that may have the half; likewise `answer`.
        reasons: as of `Layout`.
    """
    asked = None if question is None else question(names)
    told = None if answer is None else answer(names)
    types: dict[str, set[Callable[[Any], Any]]] = {}
    for _, name, convert in copies:
        types.setdefault(name, set()).add(convert)
    if asked is None or told is None or any(len(several) > 1 for several in types.values()):
        return None
    return Plan(names, copies, width, wanted, asked, told, reasons)
