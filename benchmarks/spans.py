"""Finished LLM spans as instrumentations write them, of any size; by default of 2.6 kB."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, Tracer, set_span_in_context

WORDS = "The quick brown fox jumps over the lazy dog while the model thinks about an answer to that. "
MODEL = "gpt-4o-mini"
ANSWERED = "gpt-4o-mini-2024-07-18"
TEXT = 1300
"""Characters of question and answer together in a span of 2.6 kB."""


class Words(NamedTuple):
    """What was said in one call."""

    number: int
    system: str
    question: str
    answer: str


def words(number: int, text: int = TEXT) -> Words:
    said = WORDS * (text // len(WORDS) + 1)
    half = text * 7 // 13
    return Words(number, WORDS * 2, said[:half] + str(number), said[: text - half] + str(number))


def conventions(said: Words) -> dict[str, Any]:
    """The semantic conventions of today: 17 attributes."""
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": MODEL,
        "gen_ai.response.model": ANSWERED,
        "gen_ai.response.id": f"chatcmpl-{said.number:020d}",
        "gen_ai.request.temperature": 0.7,
        "gen_ai.request.top_p": 0.95,
        "gen_ai.request.max_tokens": 512,
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": 321,
        "gen_ai.usage.output_tokens": 123,
        "gen_ai.conversation.id": f"conversation-{said.number % 50}",
        "gen_ai.output.type": "text",
        "server.address": "api.openai.com",
        "server.port": 443,
        "gen_ai.input.messages": json.dumps(
            [
                {"role": "system", "parts": [{"type": "text", "content": said.system}]},
                {"role": "user", "parts": [{"type": "text", "content": said.question}]},
            ]
        ),
        "gen_ai.output.messages": json.dumps(
            [
                {
                    "role": "assistant",
                    "parts": [{"type": "text", "content": said.answer}],
                    "finish_reason": "stop",
                }
            ]
        ),
    }


def openllmetry(said: Words) -> dict[str, Any]:
    """OpenLLMetry's LangChain, 0.62."""
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": MODEL,
        "gen_ai.response.model": ANSWERED,
        "gen_ai.response.id": f"chatcmpl-{said.number:020d}",
        "gen_ai.request.temperature": 0.7,
        "gen_ai.usage.input_tokens": 321,
        "gen_ai.usage.output_tokens": 123,
        "gen_ai.usage.total_tokens": 444,
        "gen_ai.usage.cache_read.input_tokens": 0,
        "traceloop.association.properties.ls_provider": "openai",
        "traceloop.association.properties.ls_model_name": MODEL,
        "traceloop.association.properties.ls_model_type": "chat",
        "traceloop.workflow.name": "RunnableSequence",
        "traceloop.entity.path": "",
        "gen_ai.input.messages": json.dumps(
            [
                {"role": "system", "parts": [{"type": "text", "content": said.system}]},
                {"role": "user", "parts": [{"type": "text", "content": said.question}]},
            ]
        ),
        "gen_ai.output.messages": json.dumps(
            [
                {
                    "role": "assistant",
                    "parts": [{"type": "text", "content": said.answer}],
                    "finish_reason": "stop",
                }
            ]
        ),
    }


def openinference(said: Words) -> dict[str, Any]:
    """OpenInference, messages flattened."""
    request = {"messages": [{"role": "user", "content": said.question[:200]}], "model": MODEL}
    return {
        "openinference.span.kind": "LLM",
        "llm.provider": "openai",
        "llm.system": "openai",
        "llm.model_name": ANSWERED,
        "llm.invocation_parameters": json.dumps({"temperature": 0.7, "max_tokens": 512, "top_p": 0.95}),
        "input.value": json.dumps(request),
        "input.mime_type": "application/json",
        "output.value": said.answer[:200],
        "llm.input_messages.0.message.role": "system",
        "llm.input_messages.0.message.content": said.system,
        "llm.input_messages.1.message.role": "user",
        "llm.input_messages.1.message.content": said.question,
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.content": said.answer,
        "llm.token_count.prompt": 321,
        "llm.token_count.completion": 123,
        "llm.token_count.total": 444,
    }


class Dialect(NamedTuple):
    """How one instrumentation writes a call."""

    scope: str
    version: str
    name: str
    attributes: Callable[[Words], Mapping[str, Any]]


DIALECTS = {
    "conventions": Dialect("opentelemetry.instrumentation.openai_v2", "2.0", f"chat {MODEL}", conventions),
    "OpenLLMetry": Dialect(
        "opentelemetry.instrumentation.langchain", "0.62.4", "ChatOpenAI.chat", openllmetry
    ),
    "OpenInference": Dialect(
        "openinference.instrumentation.openai", "0.1.40", "ChatCompletion", openinference
    ),
}


def write(tracer: Tracer, number: int, dialect: Dialect = DIALECTS["conventions"], text: int = TEXT) -> None:
    """One span, from start to end."""
    with tracer.start_as_current_span(dialect.name, kind=SpanKind.CLIENT) as span:
        span.set_attributes(dialect.attributes(words(number, text)))


class Spans:
    """Makes spans as a processor hands them to an exporter, and keeps none of them."""

    def __init__(self) -> None:
        self._memory = InMemorySpanExporter()
        # Else the process would keep the provider, and with it the spans, until its end.
        self._provider = TracerProvider(
            resource=Resource.create({"service.name": "benchmark"}), shutdown_on_exit=False
        )
        self._provider.add_span_processor(SimpleSpanProcessor(self._memory))
        self._number = 0

    def made(self, count: int, dialect: str = "conventions", text: int = TEXT) -> Sequence[ReadableSpan]:
        """`count` spans of one dialect."""
        tracer = self._tracer(dialect)
        for _ in range(count):
            write(tracer, self._number, DIALECTS[dialect], text)
            self._number += 1
        return self._taken()

    def told_twice(self, count: int) -> Sequence[ReadableSpan]:
        """`count` spans, two for each call: a framework's around a provider's."""
        outer, inner = DIALECTS["OpenLLMetry"], DIALECTS["conventions"]
        for _ in range(count // 2):
            said = words(self._number)
            above = self._tracer("OpenLLMetry").start_span(
                outer.name, attributes=dict(outer.attributes(said))
            )
            below = self._tracer("conventions").start_span(
                inner.name, set_span_in_context(above), attributes=dict(inner.attributes(said))
            )
            below.end()
            above.end()
            self._number += 1
        return self._taken()

    def _tracer(self, dialect: str) -> Tracer:
        return self._provider.get_tracer(DIALECTS[dialect].scope, DIALECTS[dialect].version)

    def _taken(self) -> Sequence[ReadableSpan]:
        found = self._memory.get_finished_spans()
        self._memory.clear()
        return found


_spans = Spans()


def finished(count: int) -> Sequence[ReadableSpan]:
    """`count` spans of 2.6 kB, by the conventions."""
    return _spans.made(count)
