"""LLM calls for the delivery's tests: many, different, with ids that tell which."""

from __future__ import annotations

import secrets
import time
from typing import Any

from otel_arthur.genai.call import Choice, LLMCall, Message, TextPart, Usage


def llm_call(text: str = "hello", **fields: Any) -> LLMCall:
    now = time.time_ns()
    values: dict[str, Any] = {
        "trace_id": secrets.token_hex(16),
        "span_id": secrets.token_hex(8),
        "parent_span_id": None,
        "name": "chat m",
        "scope": "opentelemetry.instrumentation.langchain",
        "dialect": "test",
        "start_ns": now - 1_000_000,
        "end_ns": now,
        "messages": (Message("user", (TextPart(text),)),),
        "choices": (Choice(Message("assistant", (TextPart(f"answer to {text}"),)), "stop"),),
        "usage": Usage(3, 5, 8),
        "service_name": "support",
    }
    return LLMCall(**{**values, **fields})


def llm_calls(count: int, size: int = 0, **fields: Any) -> list[LLMCall]:
    return [llm_call(f"question {number} " + "x" * size, **fields) for number in range(count)]


def ids_of(calls: list[LLMCall]) -> list[str]:
    return [
        f"{call.trace_id}-{call.span_id}-{choice}"
        for call in calls
        for choice in range(max(len(call.choices), 1))
    ]
