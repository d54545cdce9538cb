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

WORDS = "The quick brown fox jumps over the lazy dog while the model thinks about an answer to that. "


MODEL, ANSWERED_BY = "gpt-4o-mini", "gpt-4o-mini-2024-07-18"


def _words(number: int) -> tuple[str, str, str]:
    """System prompt, question and answer."""
    return WORDS * 2, (WORDS * 8)[:700] + str(number), (WORDS * 8)[:600] + str(number)


def _message(role: str, words: str, **more: str) -> dict[str, object]:
    return {"role": role, "parts": [{"type": "text", "content": words}], **more}


def _common(number: int) -> dict[str, AttributeValue]:
    system, question, answer = _words(number)
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


def conventions(number: int) -> Mapping[str, AttributeValue]:
    return {
        **_common(number),
        "gen_ai.conversation.id": f"conversation-{number % 50}",
        "gen_ai.output.type": "text",
        "server.address": "api.openai.com",
        "server.port": 443,
    }


def langchain(number: int) -> Mapping[str, AttributeValue]:
    return {
        **_common(number),
        "gen_ai.usage.total_tokens": 444,
        "gen_ai.usage.cache_read.input_tokens": 0,
        "traceloop.association.properties.ls_provider": "openai",
        "traceloop.association.properties.ls_model_type": "chat",
        "traceloop.association.properties.thread_id": f"conversation-{number % 50}",
        "traceloop.workflow.name": "RunnableSequence",
        "traceloop.entity.path": "",
    }


def legacy(number: int) -> Mapping[str, AttributeValue]:
    system, question, answer = _words(number)
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


def openinference(number: int) -> Mapping[str, AttributeValue]:
    system, question, answer = _words(number)
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


DIALECTS: Mapping[str, tuple[str, Callable[[int], Mapping[str, AttributeValue]]]] = {
    "conventions": ("opentelemetry.instrumentation.openai_v2", conventions),
    "langchain": ("opentelemetry.instrumentation.langchain", langchain),
    "legacy": ("opentelemetry.instrumentation.openai.v1", legacy),
    "openinference": ("openinference.instrumentation.openai", openinference),
}
"""Name -> scope, and the attributes of a call. `langchain` is OpenLLMetry's, `legacy` that before 0.55."""


def write(
    tracer: Tracer, number: int, attributes: Callable[[int], Mapping[str, AttributeValue]] = conventions
) -> None:
    """One span, from start to end."""
    with tracer.start_as_current_span("chat gpt-4o-mini", kind=SpanKind.CLIENT) as span:
        span.set_attributes(attributes(number))


def finished(count: int, dialect: str = "conventions") -> Sequence[ReadableSpan]:
    """`count` spans as a processor hands them to an exporter."""
    memory = InMemorySpanExporter()
    # A provider that ends with the process would keep its spans until then.
    provider = TracerProvider(resource=Resource.create({"service.name": "benchmark"}), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(memory))
    scope, attributes = DIALECTS[dialect]
    tracer = provider.get_tracer(scope, "2.0")
    for number in range(count):
        write(tracer, number, attributes)
    return memory.get_finished_spans()
