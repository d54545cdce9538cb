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
from operator import attrgetter, itemgetter
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct
from msgspec.structs import astuple

from otel_arthur.genai.attributes import MAX_COUNT, count, number, seconds, text
from otel_arthur.genai.call import Choice, Message, TextPart
from otel_arthur.genai.messages.numbered_form import Usual
from otel_arthur.genai.span import SpanView
from otel_arthur.genai.tables.documents import Documents, Wanted, documents_of

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
_parts = attrgetter("parts")
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
        "_are_values",
        "_copies",
        "_documents",
        "_names",
        "_question",
        "_record",
        "_seen",
        "_values",
        "_wanted",
        "_width",
        "sources",
    )

    def __init__(
        self,
        names: Sequence[str],
        copies: Sequence[tuple[int, str, Callable[[Any], Any]]],
        width: int,
        wanted: Sequence[Wanted],
        question: Usual,
        answer: Usual,
    ) -> None:
        self._question = question.read
        self._answer = answer.read
        self.sources = {"messages": question.source, "choices": answer.source}
        self._are_values = question.are_values and answer.are_values
        self._names = names
        self._copies = copies
        self._wanted = wanted
        self._documents: Documents | None = None
        self._width = width
        self._values: Callable[[Sequence[Any]], Sequence[Any]] = list
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
        return list(self._values(record))

    def _begin(self) -> None:
        self._documents = documents_of(self._wanted)
        self._record, slots = _record(self._names, self._copies)
        filled = {place: slots[name] for place, name, _ in self._copies}
        self._values = itemgetter(*[filled.get(place, -1) for place in range(self._width)])

    def find(self, fields: list[Any], view: SpanView, sources: dict[str, str]) -> frozenset[int]:
        """Put the fields that stand in documents into `fields`; returns those that need no longer look."""
        documents = self._documents
        if documents is None or not documents.fill(fields, view, sources):
            return frozenset()
        return documents.fields

    def words(self, attributes: Mapping[str, Any]) -> tuple[Sequence[Message], Sequence[Choice]] | None:
        """What was said: a question and one answer, of messages that say something; None where that takes a
        longer look."""
        messages = self._question(attributes)
        if not messages or not all(map(_parts, messages)):
            return None
        choices = self._answer(attributes)
        if not choices or len(choices) != 1:
            return None
        parts = choices[0].message.parts
        # A text that begins so may be the name of an object.
        if parts and type(part := parts[0]) is TextPart and part.text and part.text[0] != "<":
            return messages, choices
        return None

    def may_hide(self, hidden: str, attributes: Mapping[str, Any]) -> bool:
        """Whether a word that stands for hidden ones may be in what was said."""
        return not self._are_values or hidden in attributes.values()


def _record(
    names: Sequence[str], copies: Sequence[tuple[int, str, Callable[[Any], Any]]]
) -> tuple[type[Struct], Mapping[str, int]]:
    """The type of all fields at once, and where in it each attribute is; None comes last."""
    types = {name: TYPES[convert] for _, name, convert in copies}
    # Those that no field takes stand between: in order, each attribute is found at the first look.
    kept = [name for name in names if name in types or _PLAIN.fullmatch(name)]
    fields = [(f"at_{place}", types.get(name, Any)) for place, name in enumerate(kept)]
    renamed = {field[0]: name for field, name in zip(fields, kept, strict=True)}
    record = msgspec.defstruct("Record", [*fields, ("none", None, None)], rename=renamed, gc=False)
    return record, {name: place for place, name in enumerate(kept)}


def plan_of(
    names: Sequence[str],
    copies: Sequence[tuple[int, str, Callable[[Any], Any]]],
    width: int,
    wanted: Sequence[Wanted],
    question: Callable[[Sequence[str]], Usual | None] | None,
    answer: Callable[[Sequence[str]], Usual | None] | None,
) -> Plan | None:
    """The plan of spans with these attributes, None where a half of the conversation has no short way.

    Args:
        question: makes the short way to the first place that may have the half; likewise `answer`.
    """
    asked = None if question is None else question(names)
    told = None if answer is None else answer(names)
    types: dict[str, set[Callable[[Any], Any]]] = {}
    for _, name, convert in copies:
        types.setdefault(name, set()).add(convert)
    if asked is None or told is None or any(len(several) > 1 for several in types.values()):
        return None
    return Plan(names, copies, width, wanted, asked, told)
