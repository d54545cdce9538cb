"""What a dialect is: a name, how to recognise its spans, and where it keeps each field."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from msgspec import Struct

from otel_arthur.genai.bag import Bag
from otel_arthur.genai.call import Choice, Message, Usage
from otel_arthur.genai.span import SpanView

LONGEST_SCOPE: Final = 128
"""No scope that is looked for is longer; only so much of one is remembered."""


class Conversation(Struct, frozen=True, gc=False):
    """What was said: the input in order, and the answers."""

    messages: tuple[Message, ...]
    choices: tuple[Choice, ...]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dialect:
    """One way of writing an LLM call onto a span. Tables and small pure functions only."""

    name: str
    reference: str
    """Where the convention is written down."""
    marker: str | None = None
    """An attribute that only this dialect writes."""
    scopes: tuple[str, ...] = ()
    """Beginnings of the instrumentation scopes that write it."""
    owns: Callable[[SpanView], bool] | None = None
    """Whether a span is written in this dialect, where neither marker nor scope tells."""
    operation: Callable[[SpanView], str | None]
    """The operation when the span is one call to a language model, else None."""
    keys: Mapping[str, tuple[str, ...]]
    """Field of `LLMCall` (or of `Usage`, as ``usage.input``) -> attributes, the first present wins."""
    conversation: Callable[[Bag], Conversation]
    derived: Callable[[Bag], Mapping[str, tuple[Any, str]]] | None = None
    """Fields that are no attribute of their own: field -> value and where it was, for fields still absent."""
    usage: Callable[[Usage, Conversation, Bag], Usage] | None = None
    """Mends the counts where the dialect's algebra is not ours."""
    first_token_event: str | None = None
    """The span event that marks the first token; its time gives the time to first token."""
    emits_log_events: bool = False
    """Whether its messages may come as log events, for which a span without messages is worth a wait."""
    content_switch: str | Callable[[SpanView], str]
    """What to set so that the instrumentation records messages, for people to read."""

    def switch_for(self, view: SpanView) -> str:
        """What to set so that the instrumentation which wrote `view` records messages."""
        switch = self.content_switch
        return switch if isinstance(switch, str) else switch(view)
