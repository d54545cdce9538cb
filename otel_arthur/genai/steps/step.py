"""`Step`: the normal form of a span around calls; `Frame`: where any span stands in its trace."""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

from otel_arthur.genai.call import LLMCall, Message
from otel_arthur.genai.planned import Planned
from otel_arthur.genai.span import STATUS_ERROR, SpanKey, SpanView


class Frame(Struct, frozen=True, gc=False):
    """A span's place in its trace, without anything that the span tells. Times as in `LLMCall`."""

    trace_id: str
    span_id: str
    parent_span_id: str | None
    is_parent_remote: bool
    """The parent is in another process."""
    name: str
    start_ns: int
    end_ns: int
    failed: bool = False
    service_name: str | None = None

    @property
    def key(self) -> SpanKey:
        """Trace id and span id."""
        return self.trace_id, self.span_id


class Step(Struct, frozen=True, gc=False):
    """A span around calls. Absent is None."""

    frame: Frame
    kind: str
    """Of OpenInference: ``AGENT``, ``TOOL``, ``RETRIEVER``, ``CHAIN``, …; never ``LLM``."""
    input: str | None = None
    """The input: a text or a JSON text."""
    output: str | None = None
    messages: tuple[Message, ...] = ()
    """The input, where it was recorded as messages."""
    answer: Message | None = None
    agent_name: str | None = None
    tool_name: str | None = None
    tool_id: str | None = None
    tool_description: str | None = None
    tool_arguments: str | None = None
    """JSON."""
    documents: tuple[str, ...] = ()
    """The texts that a search found."""
    model: str | None = None
    """Of embeddings and rerankers."""
    conversation_id: str | None = None
    user_id: str | None = None
    error_type: str | None = None


class Wordless(Struct, frozen=True, gc=False):
    """A call whose messages were not recorded: for a target that counts tokens without words."""

    call: LLMCall


Meaning: TypeAlias = LLMCall | Planned | Wordless | Step | Frame
"""What a span means to the delivery. Targets that send calls alone get calls only."""


def frame_of(view: SpanView) -> Frame:
    """The place of a span."""
    service = view.resource.get("service.name")
    return Frame(
        view.trace_id,
        view.span_id,
        view.parent_span_id,
        view.kin.is_parent_remote,
        view.name,
        view.start_ns,
        view.end_ns,
        view.status_code == STATUS_ERROR,
        service if isinstance(service, str) else None,
    )


def frame_of_call(call: LLMCall) -> Frame:
    """The place of a call's span."""
    return Frame(
        call.trace_id,
        call.span_id,
        call.parent_span_id,
        call.kin.is_parent_remote,
        call.name,
        call.start_ns,
        call.end_ns,
        call.failed,
        call.service_name,
    )
