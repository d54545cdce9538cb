"""`Dialect`: a table that says how a dialect's spans are recognised and where each field stands."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from msgspec import Struct

from otel_arthur.genai import calls
from otel_arthur.genai.attributes import SpanAttributes
from otel_arthur.genai.call import Choice, Message, Usage
from otel_arthur.genai.span import SpanView
from otel_arthur.genai.tables.places import Row, Table
from otel_arthur.genai.tables.sources import Source

LONGEST_SCOPE: Final = 128
"""Characters of a scope that are compared and remembered: no dialect's scope is longer."""


class Conversation(Struct, frozen=True, gc=False):
    """The messages of a call: the input in order, and the answers."""

    messages: tuple[Message, ...]
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dialect:
    """One way of writing an LLM call onto a span. Rows of tables; functions only where no row can say it."""

    name: str
    reference: str
    """Where the convention is written down."""
    markers: tuple[str, ...] = ()
    """Attributes that only this dialect writes."""
    hints: tuple[str, ...] = ()
    """Attributes by which a span may be a call of this dialect, though others write them too."""
    scopes: tuple[str, ...] = ()
    """Beginnings of the instrumentation scopes that write it."""
    is_bare: bool = False
    """Whether spans of calls may have no attribute at all."""
    events: tuple[str, ...] = ()
    """Names of span events that only this dialect writes, where its spans may have no attribute."""
    owns: Callable[[SpanView], bool] | None = None
    """Whether a span is written in this dialect, where neither marker nor scope tells."""
    operation: calls.Operation = calls.operation
    """The operation when the span is one call to a language model, else None."""
    failure: Mapping[str, str] = field(default_factory=dict[str, str])
    """Attribute -> the value by which it says that the call failed, beside the span's status."""
    fields: Table
    """Field of `LLMCall` (or of `Usage`, as ``usage.input``) -> places, the first that has a value wins."""
    question: tuple[Source, ...] = ()
    """Where the input stands. Where all of these are empty, the places in `words` follow."""
    answer: tuple[Source, ...] = ()
    """Where the answers stand, likewise."""
    system: Row = ()
    """Places of a system prompt that stands apart from the messages."""
    reasons: Row = ()
    """Places of finish reasons that stand beside the answers, before those of the conventions."""
    usage: Callable[[Usage, Conversation, SpanAttributes], Usage] | None = None
    """Mends the counts where the dialect's algebra is not ours."""
    keeps_counts: Callable[[str], bool] = lambda _: False
    """Whether `usage` leaves alone what a scope wrote of one answer, where neither count is zero."""
    first_token_event: str | None = None
    """The span event that marks the first token; its time gives the time to first token."""
    emits_log_events: bool = False
    """Whether its messages may come as log events, for which a span without messages is worth a wait."""
    hidden: str | None = None
    """The text that replaces words that were hidden on purpose."""
    hides_answers: bool = False
    """Whether answers have a switch of their own: a question alone may then mean that the switch is off."""
    content_switch: str | Callable[[SpanView], str] = ""
    """The setting that has messages recorded, in words for a person; empty where there is no switch."""
    content_note: str = ""
    """Why messages may be missing, where there is no switch."""

    def advice_for(self, view: SpanView) -> str:
        """What to do so that the writer of `view` records messages, or why nothing helps."""
        switch = self.content_switch if isinstance(self.content_switch, str) else self.content_switch(view)
        return f"set {switch}" if switch else self.content_note
