"""Whole traces by the exporter: every span around a call with its kind, and the way to the local root."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, Tracer

from otel_arthur import ArthurSpanExporter
from otel_arthur.local.engine.traces import StoredSpan
from otel_arthur.local.server import LocalArthur
from otel_arthur.sdk import bridge as bridges
from tests.support.waiting import PATIENCE


@pytest.fixture
def provider(engine: LocalArthur, tmp_path: Path) -> Iterator[Callable[..., TracerProvider]]:
    made: list[TracerProvider] = []

    def make(processor: Any = BatchSpanProcessor, **settings: Any) -> TracerProvider:
        settings = {"duplicate_window": 0, "spool_dir": tmp_path / f"spool-{len(made)}", **settings}
        exporter = ArthurSpanExporter(engine_endpoint=engine.url, engine_api_key=engine.api_key, **settings)
        provider = TracerProvider(resource=Resource({"service.name": "bot"}))
        provider.add_span_processor(processor(exporter))
        made.append(provider)
        return provider

    yield make
    for one in made:
        one.shutdown()


def messages(role: str, text: str) -> str:
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}])


def chat(question: str = "hello", answer: str = "hi") -> dict[str, Any]:
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "gpt",
        "gen_ai.usage.input_tokens": 3,
        "gen_ai.usage.output_tokens": 4,
        "gen_ai.input.messages": messages("user", question),
        "gen_ai.output.messages": messages("assistant", answer),
    }


def told(provider: TracerProvider, engine: LocalArthur) -> dict[str, StoredSpan]:
    assert provider.force_flush(round(PATIENCE * 1000))
    count, spans = engine.traces.spans()
    by_name = {span.name: span for span in spans}
    assert len(by_name) == count
    return by_name


def agent(tracer: Tracer) -> None:
    with tracer.start_as_current_span("GET /answer", attributes={"http.route": "/answer"}):
        with tracer.start_as_current_span("SELECT users"):
            pass
        with tracer.start_as_current_span(
            "invoke_agent a", attributes={"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "a"}
        ):
            with tracer.start_as_current_span("chat 1", attributes=chat("first", "one")):
                pass
            with (
                tracer.start_as_current_span(
                    "execute_tool weather",
                    attributes={
                        "gen_ai.operation.name": "execute_tool",
                        "gen_ai.tool.name": "weather",
                        "gen_ai.tool.call.arguments": '{"city": "Paris"}',
                        "gen_ai.tool.call.result": "sunny",
                    },
                ),
                tracer.start_as_current_span("GET /weather"),
            ):
                pass
            with tracer.start_as_current_span("chat 2", attributes=chat("second", "two")):
                pass


def test_a_trace_is_one_tree_without_what_is_beside_it(
    engine: LocalArthur, provider: Callable[..., TracerProvider]
) -> None:
    made = provider()
    agent(made.get_tracer("app"))
    spans = told(made, engine)
    assert {name: span.kind for name, span in spans.items()} == {
        "GET /answer": "CHAIN",
        "invoke_agent a": "AGENT",
        "chat 1": "LLM",
        "execute_tool weather": "TOOL",
        "chat 2": "LLM",
    }
    root = spans["GET /answer"]
    assert root.parent_span_id is None
    assert root.attributes["input.value"] == "Human: first"
    assert root.attributes["output.value"] == "two"
    # Last of all, since evaluations start when it comes.
    assert root.number == 5
    assert spans["chat 2"].parent_span_id == spans["invoke_agent a"].span_id
    tool = spans["execute_tool weather"].attributes
    assert (tool["tool.name"], tool["input.value"], tool["output.value"]) == (
        "weather",
        '{"city": "Paris"}',
        "sunny",
    )
    assert spans["invoke_agent a"].attributes["agent.name"] == "a"


def test_calls_alone(engine: LocalArthur, provider: Callable[..., TracerProvider]) -> None:
    made = provider(engine_spans="calls")
    agent(made.get_tracer("app"))
    spans = told(made, engine)
    assert {name: span.parent_span_id for name, span in spans.items()} == {"chat 1": None, "chat 2": None}


def test_a_call_that_outlives_its_handler_is_below_it(
    engine: LocalArthur, provider: Callable[..., TracerProvider]
) -> None:
    made = provider()
    tracer = made.get_tracer("app")
    handler = tracer.start_span("GET /stream")
    answer = tracer.start_span("chat", context=trace.set_span_in_context(handler), attributes=chat())
    handler.end()
    assert made.force_flush(round(PATIENCE * 1000))
    answer.end()
    spans = told(made, engine)
    assert spans["chat"].parent_span_id == spans["GET /stream"].span_id
    assert spans["GET /stream"].attributes["output.value"] == "hi"


def test_a_root_that_waits_has_the_output_of_a_call_that_ended_after_it(
    engine: LocalArthur, provider: Callable[..., TracerProvider]
) -> None:
    """The root is in the spool already when the streamed answer ends."""
    made = provider(processor=SimpleSpanProcessor, duplicate_window=600)
    tracer = made.get_tracer("app")
    handler = tracer.start_span("GET /stream")
    context = trace.set_span_in_context(handler)
    tracer.start_span("chat 1", context=context, attributes=chat("rewrite", "rewritten")).end()
    answer = tracer.start_span("chat 2", context=context, attributes=chat("the question", "the answer"))
    handler.end()
    answer.end()
    (bridge,) = bridges.live()
    assert bridge.flush(PATIENCE)
    root = told(made, engine)["GET /stream"]
    assert root.attributes["input.value"] == "Human: rewrite"
    assert root.attributes["output.value"] == "the answer"


@pytest.mark.parametrize("remote", ["cut", "keep"])
def test_a_remote_parent(engine: LocalArthur, provider: Callable[..., TracerProvider], remote: str) -> None:
    made = provider(engine_remote_parent=remote)
    caller = SpanContext(0xA, 0xB, is_remote=True, trace_flags=TraceFlags(1))
    with (
        made.get_tracer("app").start_as_current_span(
            "POST /", context=trace.set_span_in_context(NonRecordingSpan(caller))
        ),
        made.get_tracer("app").start_as_current_span("chat", attributes=chat()),
    ):
        pass
    server = told(made, engine)["POST /"]
    assert server.parent_span_id == (None if remote == "cut" else f"{0xB:016x}")
    assert (server.attributes["input.value"], server.attributes["output.value"]) == ("Human: hello", "hi")


def test_a_duplicate_is_a_chain_without_tokens(
    engine: LocalArthur, provider: Callable[..., TracerProvider]
) -> None:
    made = provider(duplicate_window=600)
    with (
        made.get_tracer("opentelemetry.instrumentation.langchain").start_as_current_span(
            "outer", attributes=chat()
        ),
        made.get_tracer("opentelemetry.instrumentation.openai").start_as_current_span(
            "inner", attributes={**chat(), "gen_ai.response.id": "r"}
        ),
    ):
        pass
    spans = told(made, engine)
    assert {name: span.kind for name, span in spans.items()} == {"outer": "CHAIN", "inner": "LLM"}
    outer = spans["outer"]
    assert (outer.attributes["input.value"], outer.attributes["output.value"]) == ("Human: hello", "hi")
    assert not any(key.startswith("llm.") for key in outer.attributes)
    assert spans["inner"].parent_span_id == outer.span_id


def test_a_sample_keeps_or_drops_whole_traces(
    engine: LocalArthur, provider: Callable[..., TracerProvider]
) -> None:
    made = provider(sample_ratio=0.5)
    for _ in range(40):
        agent(made.get_tracer("app"))
    assert made.force_flush(round(PATIENCE * 1000))
    _, spans = engine.traces.spans()
    traces = [span.trace_id for span in spans]
    assert 0 < len(set(traces)) < 40
    assert all(traces.count(one) == 5 for one in set(traces))


def test_a_call_without_words_is_counted_by_its_tokens(
    engine: LocalArthur, provider: Callable[..., TracerProvider]
) -> None:
    made = provider()
    attributes = {key: value for key, value in chat().items() if not key.endswith(".messages")}
    with made.get_tracer("app").start_as_current_span("chat", attributes=attributes):
        pass
    span = told(made, engine)["chat"]
    assert (span.kind, span.prompt_tokens, span.completion_tokens) == ("LLM", 3, 4)
