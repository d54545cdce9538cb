"""Finished LLM spans of 2.6 kB: 17 attributes, 1.9 kB of messages, as the semantic conventions write them."""

from __future__ import annotations

import json
from collections.abc import Sequence

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, Tracer

WORDS = "The quick brown fox jumps over the lazy dog while the model thinks about an answer to that. "


def write(tracer: Tracer, number: int) -> None:
    """One span, from start to end."""
    question = (WORDS * 8)[:700] + str(number)
    answer = (WORDS * 8)[:600] + str(number)
    with tracer.start_as_current_span("chat gpt-4o-mini", kind=SpanKind.CLIENT) as span:
        span.set_attributes(
            {
                "gen_ai.operation.name": "chat",
                "gen_ai.provider.name": "openai",
                "gen_ai.request.model": "gpt-4o-mini",
                "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
                "gen_ai.response.id": f"chatcmpl-{number:020d}",
                "gen_ai.request.temperature": 0.7,
                "gen_ai.request.top_p": 0.95,
                "gen_ai.request.max_tokens": 512,
                "gen_ai.response.finish_reasons": ["stop"],
                "gen_ai.usage.input_tokens": 321,
                "gen_ai.usage.output_tokens": 123,
                "gen_ai.conversation.id": f"conversation-{number % 50}",
                "gen_ai.output.type": "text",
                "server.address": "api.openai.com",
                "server.port": 443,
                "gen_ai.input.messages": json.dumps(
                    [
                        {"role": "system", "parts": [{"type": "text", "content": WORDS * 2}]},
                        {"role": "user", "parts": [{"type": "text", "content": question}]},
                    ]
                ),
                "gen_ai.output.messages": json.dumps(
                    [
                        {
                            "role": "assistant",
                            "parts": [{"type": "text", "content": answer}],
                            "finish_reason": "stop",
                        }
                    ]
                ),
            }
        )


def finished(count: int) -> Sequence[ReadableSpan]:
    """`count` spans as a processor hands them to an exporter."""
    memory = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource.create({"service.name": "benchmark"}))
    provider.add_span_processor(SimpleSpanProcessor(memory))
    tracer = provider.get_tracer("opentelemetry.instrumentation.openai_v2", "2.0")
    for number in range(count):
        write(tracer, number)
    return memory.get_finished_spans()
