"""Spans for tests of reading: one second long, of any scope, attributes and events."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from otel_arthur.genai.call import LLMCall
from otel_arthur.genai.reading import read
from otel_arthur.genai.span import STATUS_ERROR, EventView, SpanView

START, END = 1_790_000_000_000_000_000, 1_790_000_001_000_000_000
CHAT: Mapping[str, Any] = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "wren-1"}
QUESTION: Mapping[str, Any] = {
    "gen_ai.input.messages": json.dumps(
        [{"role": "user", "parts": [{"type": "text", "content": "Is it late?"}]}]
    )
}
ANSWER: Mapping[str, Any] = {
    "gen_ai.output.messages": json.dumps(
        [{"role": "assistant", "parts": [{"type": "text", "content": "Half past."}], "finish_reason": "stop"}]
    )
}
EXCEPTION = EventView("exception", END, {"exception.type": "openai.APIError", "exception.message": "no"})


def span(
    attributes: Mapping[str, Any],
    *events: EventView,
    scope: str = "my.instrumentation",
    name: str = "chat wren-1",
    failed: bool = False,
    dropped: int = 0,
) -> SpanView:
    """A finished span."""
    status = STATUS_ERROR if failed else 0
    ids: Sequence[Any] = ("a" * 32, "b" * 16, None)
    return SpanView(*ids, name, scope, "1.0", START, END, status, "", attributes, events, {}, dropped)


def call_in(view: SpanView) -> LLMCall:
    """The call that a span is."""
    reading = read(view)
    assert reading.call is not None, reading.reason
    return reading.call


def halves(view: SpanView) -> tuple[list[str], list[str]]:
    """The texts of a call: asked and answered."""
    call = call_in(view)
    return [message.text for message in call.messages], [choice.message.text for choice in call.choices]
