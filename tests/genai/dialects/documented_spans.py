"""Spans as the documentation of their writers says they are, and what a test reads in them."""

from __future__ import annotations

from typing import Any

from otel_arthur.genai.call import LLMCall
from otel_arthur.genai.reading import Reading
from otel_arthur.genai.span import EventView, SpanView

START = 1_700_000_000_000_000_000


ASKED = [("system", "Be brief."), ("user", "What is OpenTelemetry?")]


def span(scope: str, *events: EventView, **more: Any) -> SpanView:
    """A finished span of one second; attributes are given with ``attributes``."""
    return SpanView(
        trace_id="0af7651916cd43dd8448eb211c80319c",
        span_id="b7ad6b7169203331",
        parent_span_id=None,
        name=more.get("name", "chat gpt-4o-mini"),
        scope=scope,
        scope_version="",
        start_ns=START,
        end_ns=START + 1_000_000_000,
        status_code=more.get("status_code", 0),
        status_message="",
        attributes=more["attributes"],
        events=events,
        resource={},
        dropped_attributes=0,
    )


def call_of(reading: Reading) -> LLMCall:
    assert reading.call is not None
    return reading.call


def said(call: LLMCall) -> list[tuple[str, str]]:
    return [(message.role, message.text) for message in call.messages]


def answers(call: LLMCall) -> list[tuple[str, str | None]]:
    return [(choice.message.text, choice.finish_reason) for choice in call.choices]


def counts(call: LLMCall) -> tuple[int | None, ...]:
    usage = call.usage
    return usage.input, usage.output, usage.total, usage.cached, usage.cache_write, usage.reasoning
