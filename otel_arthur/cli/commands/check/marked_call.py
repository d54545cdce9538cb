"""The call that ``otel-arthur check --send`` sends. Its texts say what it is."""

from __future__ import annotations

import time
import uuid

from otel_arthur.genai.call import Choice, LLMCall, Message, TextPart, Usage


def marked_call(service_name: str | None = None) -> LLMCall:
    """A call of this moment, with an id of its own."""
    now = time.time_ns()
    return LLMCall(
        trace_id=uuid.uuid4().hex,
        span_id=uuid.uuid4().hex[:16],
        parent_span_id=None,
        name="otel-arthur check",
        scope="otel_arthur",
        dialect="check",
        start_ns=now,
        end_ns=now,
        messages=(Message("user", (TextPart("otel-arthur check: is anybody there?"),)),),
        choices=(Choice(Message("assistant", (TextPart("otel-arthur check: yes."),)), "stop"),),
        usage=Usage(0, 0, 0),
        operation="check",
        service_name=service_name,
    )
