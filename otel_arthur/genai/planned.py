"""`Planned`: a call as its plan has read it, before anybody puts the call together.

Most calls go to Arthur as they were written. Then their values go from the span straight into a row
(`inference.short_way`), and nobody needs the `LLMCall`; `whole` makes it for all others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from msgspec import Struct

from otel_arthur.genai.answered import hides
from otel_arthur.genai.attributes import SpanAttributes
from otel_arthur.genai.call import Choice, LLMCall, Message, Usage
from otel_arthur.genai.call_of_span import call_of
from otel_arthur.genai.json_text import clean
from otel_arthur.genai.span import SpanView
from otel_arthur.genai.tables.dialect import Conversation
from otel_arthur.genai.tables.layout import FIELDS, OF_CALL, OF_USAGE, Layout, fill
from otel_arthur.genai.tables.plan import Plan
from otel_arthur.genai.tables.words import after_system, reasons_of, with_reasons
from otel_arthur.genai.usage import inclusive

USAGE: Final = slice(len(OF_CALL), len(OF_CALL) + len(OF_USAGE))
_CHOICE_COUNT, _PROVIDER = FIELDS.index("choice_count"), FIELDS.index("provider")


class Planned(Struct, frozen=True, gc=False):
    """A call that succeeded and has one answer. See above."""

    view: SpanView
    layout: Layout
    operation: str
    fields: list[Any]
    """In the order of `layout.FIELDS`, as they were written: a text may be no Unicode."""
    messages: Sequence[Message]
    choice: Choice
    places: Sequence[Mapping[str, str]]
    """Field -> the place that filled it: of the words, and of the fields in documents."""
    looked: SpanAttributes | None = None
    """The look-ups that fields and words took; None where the plan was enough."""
    extra: Mapping[str, str] | None = None
    """The user's own fields, as of `reading.read`."""

    @property
    def is_half(self) -> bool:
        """False: a call that a plan has read has words."""
        return False

    @property
    def plain_total(self) -> int | None:
        """The sum of the tokens, where they were written as the call has them; else None: `usage` knows."""
        asked, told, total, cached, put, thought = self.fields[USAGE]
        if not (asked and told and self.layout.keeps_counts) or cached or put or thought:
            return None
        return asked + told if total is None or total == asked + told else None

    @property
    def usage(self) -> Usage:
        """The tokens, as the call has them."""
        usage, dialect = Usage(*self.fields[USAGE]), self.layout.dialect
        if dialect.usage is not None:
            usage = dialect.usage(usage, self._conversation, self.attributes)
        return inclusive(usage, self.fields[_PROVIDER])

    @property
    def attributes(self) -> SpanAttributes:
        """The look-ups of the span, with the places that filled the fields so far."""
        return self.looked or _attributes(self.view, self.places)

    @property
    def _conversation(self) -> Conversation:
        return Conversation(tuple(self.messages), (self.choice,))

    def whole(self, attributes: SpanAttributes | None = None) -> LLMCall:
        """The call; the places of what is still found are added to the sources of `attributes`."""
        conversation, usage = self._conversation, Usage(*self.fields[USAGE])
        fields = [clean(value) if value.__class__ is str else value for value in self.fields]
        return call_of(
            *(attributes or self.attributes, self.layout, self.operation, conversation, conversation.choices),
            *(usage, fields, self.extra),
        )


def whole(call: LLMCall | Planned) -> LLMCall:
    """The call, put together if it is not yet."""
    return call.whole() if isinstance(call, Planned) else call


def planned_of(
    view: SpanView, layout: Layout, plan: Plan, operation: str, extra: Mapping[str, str] | None
) -> Planned | None:
    """The call in a span that does not say that it failed; None where it takes a longer look."""
    fields = plan.fields(view.attributes)
    words = None if fields is None else plan.words(view.attributes)
    if fields is None or words is None:
        return None
    messages, choice, of_words = words
    of_fields, missing = plan.find(fields, view)
    places, looked = (of_words, of_fields), None
    needs_reason = choice.finish_reason is None and bool(layout.reasons)
    if missing or layout.system or needs_reason:
        looked = _attributes(view, places)
        if missing:
            fill(fields, looked, [search for search in layout.searches if search.field in missing])
        if layout.system:
            messages = after_system(messages, looked, layout.system)
        if needs_reason:
            (choice,) = with_reasons((choice,), reasons_of(looked, layout.reasons))
    if (fields[_CHOICE_COUNT] or 1) != 1:
        return None
    hidden = layout.dialect.hidden
    # A system prompt that stands apart is none of the plan's words.
    if hidden is not None and (layout.system or plan.may_hide(hidden, view.attributes)):
        said = (*messages, choice.message)
        if hides(said, hidden):
            return None
    return Planned(view, layout, operation, fields, messages, choice, places, looked, extra)


def _attributes(view: SpanView, places: Sequence[Mapping[str, str]]) -> SpanAttributes:
    of_words, of_fields = places
    return SpanAttributes(view, view.attributes, {**of_words, **of_fields})
