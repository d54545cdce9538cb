"""Finished LLM spans of 2.6 kB, 1.9 kB of them messages, as the most used instrumentations write them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, Tracer
from opentelemetry.util.types import AttributeValue

Attributes = Callable[..., Mapping[str, AttributeValue]]
"""From the number of a call, and the characters of its words, to the attributes of its span."""
WORDS = "The quick brown fox jumps over the lazy dog while the model thinks about an answer to that. "


MODEL, ANSWERED_BY = "gpt-4o-mini", "gpt-4o-mini-2024-07-18"


TEXT = 1300
"""Characters of question and answer together in a span of 2.6 kB."""


def _words(number: int, text: int) -> tuple[str, str, str]:
    """System prompt, question and answer."""
    said, half = WORDS * (text // len(WORDS) + 1), text * 7 // 13
    return WORDS * 2, said[:half] + str(number), said[: text - half] + str(number)


def _message(role: str, words: str, **more: str) -> dict[str, object]:
    return {"role": role, "parts": [{"type": "text", "content": words}], **more}


def _common(number: int, text: int = TEXT) -> dict[str, AttributeValue]:
    system, question, answer = _words(number, text)
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": MODEL,
        "gen_ai.response.model": ANSWERED_BY,
        "gen_ai.response.id": f"chatcmpl-{number:020d}",
        "gen_ai.request.temperature": 0.7,
        "gen_ai.request.top_p": 0.95,
        "gen_ai.request.max_tokens": 512,
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": 321,
        "gen_ai.usage.output_tokens": 123,
        "gen_ai.input.messages": json.dumps([_message("system", system), _message("user", question)]),
        "gen_ai.output.messages": json.dumps([_message("assistant", answer, finish_reason="stop")]),
    }


def conventions(number: int, text: int = TEXT) -> Mapping[str, AttributeValue]:
    return {
        **_common(number, text),
        "gen_ai.conversation.id": f"conversation-{number % 50}",
        "gen_ai.output.type": "text",
        "server.address": "api.openai.com",
        "server.port": 443,
    }


def langchain(number: int, text: int = TEXT) -> Mapping[str, AttributeValue]:
    return {
        **_common(number, text),
        "gen_ai.usage.total_tokens": 444,
        "gen_ai.usage.cache_read.input_tokens": 0,
        "traceloop.association.properties.ls_provider": "openai",
        "traceloop.association.properties.ls_model_type": "chat",
        "traceloop.association.properties.thread_id": f"conversation-{number % 50}",
        "traceloop.workflow.name": "RunnableSequence",
        "traceloop.entity.path": "",
    }


def legacy(number: int, text: int = TEXT) -> Mapping[str, AttributeValue]:
    system, question, answer = _words(number, text)
    return {
        "llm.request.type": "chat",
        "gen_ai.system": "OpenAI",
        "gen_ai.request.model": MODEL,
        "gen_ai.request.temperature": 0.7,
        "gen_ai.request.top_p": 0.95,
        "gen_ai.request.max_tokens": 512,
        "llm.is_streaming": False,
        "gen_ai.prompt.0.role": "system",
        "gen_ai.prompt.0.content": system,
        "gen_ai.prompt.1.role": "user",
        "gen_ai.prompt.1.content": question,
        "gen_ai.response.model": ANSWERED_BY,
        "gen_ai.response.id": f"chatcmpl-{number:020d}",
        "llm.usage.total_tokens": 444,
        "gen_ai.usage.input_tokens": 321,
        "gen_ai.usage.output_tokens": 123,
        "gen_ai.completion.0.finish_reason": "stop",
        "gen_ai.completion.0.role": "assistant",
        "gen_ai.completion.0.content": answer,
    }


def openinference(number: int, text: int = TEXT) -> Mapping[str, AttributeValue]:
    system, question, answer = _words(number, text)
    parameters = {"model": MODEL, "temperature": 0.7, "top_p": 0.95, "max_tokens": 512}
    return {
        "llm.provider": "openai",
        "llm.system": "openai",
        "llm.model_name": ANSWERED_BY,
        "llm.invocation_parameters": json.dumps(parameters),
        "llm.input_messages.0.message.role": "system",
        "llm.input_messages.0.message.content": system,
        "llm.input_messages.1.message.role": "user",
        "llm.input_messages.1.message.content": question,
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.content": answer,
        "llm.finish_reason": "stop",
        "llm.token_count.prompt": 321,
        "llm.token_count.completion": 123,
        "llm.token_count.total": 444,
        "llm.token_count.prompt_details.cache_read": 0,
        "session.id": f"conversation-{number % 50}",
        "openinference.span.kind": "LLM",
    }


DIALECTS: Mapping[str, tuple[str, Attributes]] = {
    "conventions": ("opentelemetry.instrumentation.openai_v2", conventions),
    "langchain": ("opentelemetry.instrumentation.langchain", langchain),
    "legacy": ("opentelemetry.instrumentation.openai.v1", legacy),
    "openinference": ("openinference.instrumentation.openai", openinference),
}
"""Name -> scope, and the attributes of a call. `langchain` is OpenLLMetry's, `legacy` that before 0.55."""


def write(tracer: Tracer, number: int, attributes: Attributes = conventions, text: int = TEXT) -> None:
    """One span, from start to end."""
    with tracer.start_as_current_span("chat gpt-4o-mini", kind=SpanKind.CLIENT) as span:
        span.set_attributes(attributes(number, text))


class Spans:
    """Makes spans as a processor hands them to an exporter, and keeps none of them."""

    def __init__(self) -> None:
        self._memory = InMemorySpanExporter()
        # A provider that ends with the process would keep its spans until then.
        self._provider = TracerProvider(
            resource=Resource.create({"service.name": "benchmark"}), shutdown_on_exit=False
        )
        self._provider.add_span_processor(SimpleSpanProcessor(self._memory))
        self._number = 0

    def made(self, count: int, dialect: str = "conventions", text: int = TEXT) -> Sequence[ReadableSpan]:
        """`count` spans of one dialect."""
        tracer, attributes = self._tracer(dialect)
        for _ in range(count):
            write(tracer, self._number, attributes, text)
            self._number += 1
        return self._taken()

    def told_twice(self, count: int) -> Sequence[ReadableSpan]:
        """`count` spans, two for each call: a framework's around a provider's."""
        (framework, outer), (provider, inner) = self._tracer("langchain"), self._tracer("conventions")
        for _ in range(count // 2):
            with framework.start_as_current_span("ChatOpenAI.chat") as span:
                span.set_attributes(outer(self._number))
                write(provider, self._number, inner)
            self._number += 1
        return self._taken()

    def _tracer(self, dialect: str) -> tuple[Tracer, Attributes]:
        scope, attributes = DIALECTS[dialect]
        return self._provider.get_tracer(scope, "2.0"), attributes

    def _taken(self) -> Sequence[ReadableSpan]:
        found = self._memory.get_finished_spans()
        self._memory.clear()
        return found


def finished(count: int, dialect: str = "conventions") -> Sequence[ReadableSpan]:
    """`count` spans of 2.6 kB, by numbers from 0 on."""
    return Spans().made(count, dialect)
