"""A small writer of each dialect: a question and an answer onto a span, as the instrumentation does."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from otel_arthur.genai.span import EventView, SpanView

START, END = 1_790_000_000_000_000_000, 1_790_000_001_000_000_000
_MODEL = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "wren-1"}
_LANGFUSE, _LLAMA = "langfuse.observation.", "LLMChatEndEvent"


class Written(NamedTuple):
    """What a writer puts onto a span."""

    attributes: Mapping[str, Any]
    events: Sequence[EventView] = ()


class Writer(NamedTuple):
    """One way to write a call."""

    dialect: str
    scope: str
    write: Callable[[str, str], Written]
    name: str = "chat wren-1"

    def span(self, question: str, answer: str) -> SpanView:
        """The finished span of a call."""
        written = self.write(question, answer)
        return SpanView(
            *("a" * 32, "b" * 16, None, self.name, self.scope, "1.0", START, END, 0, ""),
            attributes=written.attributes,
            events=written.events,
            resource={},
            dropped_attributes=0,
        )


def chat(question: str, answer: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """OpenAI's messages: what was sent, and the answer."""
    return [{"role": "user", "content": question}], {"role": "assistant", "content": answer}


def semconv(question: str, answer: str) -> dict[str, Any]:
    """The two attributes of the conventions."""
    asked = [{"role": "user", "parts": [{"type": "text", "content": question}]}]
    said = {"role": "assistant", "parts": [{"type": "text", "content": answer}], "finish_reason": "stop"}
    return {"gen_ai.input.messages": json.dumps(asked), "gen_ai.output.messages": json.dumps([said])}


def indexed(question: str, answer: str) -> dict[str, Any]:
    """OpenLLMetry's numbered attributes."""
    return {
        "gen_ai.prompt.0.role": "user",
        "gen_ai.prompt.0.content": question,
        "gen_ai.completion.0.role": "assistant",
        "gen_ai.completion.0.content": answer,
    }


def _events(question: str, answer: str) -> Written:
    asked = EventView("gen_ai.user.message", START, {"content": question})
    said = EventView("gen_ai.choice", END, {"finish_reason": "stop", "message": answer})
    return Written(_MODEL, [asked, said])


def _content_events(question: str, answer: str) -> Written:
    asked = EventView("gen_ai.content.prompt", START, {"gen_ai.prompt": question})
    said = EventView("gen_ai.content.completion", END, {"gen_ai.completion": answer})
    return Written(_MODEL, [asked, said])


def _kernel(question: str, answer: str) -> Written:
    asked = json.dumps({"role": "user", "content": question})
    said = json.dumps({"message": {"role": "assistant", "content": answer}, "finish_reason": "stop"})
    return Written(
        _MODEL,
        [
            EventView("gen_ai.user.message", START, {"CHAT_MESSAGE_INDEX": 0}, asked),
            EventView("gen_ai.choice", START, {"CHAT_MESSAGE_INDEX": 1}, said),
        ],
    )


def _strands(question: str, answer: str) -> Written:
    asked = EventView("gen_ai.user.message", START, {"content": json.dumps([{"text": question}])})
    said = {"message": json.dumps([{"text": answer}]), "finish_reason": "end_turn"}
    return Written(_MODEL, [asked, EventView("gen_ai.choice", END, said)])


def _pydantic_events(question: str, answer: str) -> Written:
    events = [
        {"event.name": "gen_ai.user.message", "role": "user", "content": question},
        {"event.name": "gen_ai.choice", "message": {"role": "assistant", "content": answer}},
    ]
    return Written({**_MODEL, "events": json.dumps(events)})


def _openinference(question: str, answer: str) -> Written:
    return Written(
        {
            "llm.model_name": "wren-1",
            "llm.input_messages.0.message.role": "user",
            "llm.input_messages.0.message.content": question,
            "llm.output_messages.0.message.role": "assistant",
            "llm.output_messages.0.message.content": answer,
            "openinference.span.kind": "LLM",
        }
    )


def _openinference_values(question: str, answer: str) -> Written:
    kinds = {"input.mime_type": "text/plain", "output.mime_type": "text/plain"}
    return Written(
        {"input.value": question, "output.value": answer, **kinds, "openinference.span.kind": "LLM"}
    )


def _langfuse(question: str, answer: str) -> Written:
    return Written(
        {
            f"{_LANGFUSE}type": "generation",
            f"{_LANGFUSE}model.name": "wren-1",
            f"{_LANGFUSE}input": question,
            f"{_LANGFUSE}output": answer,
        }
    )


def _langsmith(question: str, answer: str) -> Written:
    asked, said = chat(question, answer)
    return Written(
        {
            "langsmith.span.kind": "llm",
            "gen_ai.prompt": json.dumps({"messages": asked}),
            "gen_ai.completion": json.dumps({"choices": [{"message": said, "finish_reason": "stop"}]}),
        }
    )


def _mlflow(question: str, answer: str) -> Written:
    return Written(
        {
            "mlflow.spanType": '"LLM"',
            "mlflow.spanInputs": json.dumps(question),
            "mlflow.spanOutputs": json.dumps(answer),
        }
    )


def _vercel(question: str, answer: str) -> Written:
    asked = [{"role": "user", "content": [{"type": "text", "text": question}]}]
    return Written(
        {
            "ai.operationId": "ai.generateText.doGenerate",
            "ai.prompt.messages": json.dumps(asked),
            "ai.response.text": answer,
        }
    )


def _adk(question: str, answer: str) -> Written:
    asked = {"contents": [{"role": "user", "parts": [{"text": question}]}]}
    said = {"content": {"role": "model", "parts": [{"text": answer}]}, "finish_reason": "STOP"}
    return Written(
        {
            "gen_ai.system": "gcp.vertex.agent",
            "gcp.vertex.agent.llm_request": json.dumps(asked),
            "gcp.vertex.agent.llm_response": json.dumps(said),
        }
    )


def _logfire(question: str, answer: str) -> Written:
    asked, said = chat(question, answer)
    return Written(
        {
            "request_data": json.dumps({"model": "wren-1", "messages": asked}),
            "response_data": json.dumps({"message": said}),
            "gen_ai.system": "openai",
        }
    )


def _genkit(question: str, answer: str) -> Written:
    asked = {"messages": [{"role": "user", "content": [{"text": question}]}]}
    said = {"message": {"role": "model", "content": [{"text": answer}]}, "finishReason": "stop"}
    return Written(
        {
            "genkit:type": "action",
            "genkit:metadata:subtype": "model",
            "genkit:name": "openai/wren-1",
            "genkit:input": json.dumps(asked),
            "genkit:output": json.dumps(said),
        }
    )


def _haystack(question: str, answer: str) -> Written:
    asked = {"messages": [{"role": "user", "meta": {}, "name": None, "content": [{"text": question}]}]}
    said = {"replies": [{"role": "assistant", "meta": {}, "name": None, "content": [{"text": answer}]}]}
    return Written(
        {
            "haystack.component.type": "OpenAIChatGenerator",
            "haystack.component.input": json.dumps(asked),
            "haystack.component.output": json.dumps(said),
        }
    )


def _haystack_repr(question: str, answer: str) -> Written:
    message = (
        "{{'messages': [ChatMessage(_role=<ChatRole.USER: 'user'>, _content=[TextContent(text={!r})], "
        "_name=None, _meta={{}})], 'tools': [Tool(name='f', function=<function <lambda> at 0x7e9a>)]}}"
    )
    said = {"replies": [{"role": "assistant", "meta": {}, "name": None, "content": [{"text": answer}]}]}
    return Written(
        {
            "haystack.agent.step.llm.input": message.format(question),
            "haystack.agent.step.llm.output": json.dumps(said),
        }
    )


def _llama_index(question: str, answer: str) -> Written:
    asked = [{"role": "user", "additional_kwargs": {}, "blocks": [{"block_type": "text", "text": question}]}]
    said = {
        "messages": json.dumps(asked),
        "response.message.role": "assistant",
        "response.message.blocks": json.dumps([{"block_type": "text", "text": answer}]),
    }
    return Written({}, [EventView(_LLAMA, END, said)])


def _laminar(question: str, answer: str) -> Written:
    asked, said = chat(question, answer)
    return Written(
        {
            "lmnr.span.type": "LLM",
            "gen_ai.input.messages": json.dumps(asked),
            "gen_ai.output.messages": json.dumps([{"finish_reason": "stop", "message": said}]),
        }
    )


def _langtrace(question: str, answer: str) -> Written:
    asked, said = chat(question, answer)
    prompt = EventView("gen_ai.content.prompt", START, {"gen_ai.prompt": json.dumps(asked)})
    completion = EventView("gen_ai.content.completion", END, {"gen_ai.completion": json.dumps([said])})
    return Written({**_MODEL, "langtrace.sdk.name": "langtrace-python-sdk"}, [prompt, completion])


def _langwatch(question: str, answer: str) -> Written:
    asked = json.dumps({"type": "text", "value": question})
    said = json.dumps({"type": "text", "value": answer})
    return Written({"langwatch.span.type": "llm", "langwatch.input": asked, "langwatch.output": said})


def _mastra(question: str, answer: str) -> Written:
    asked, _ = chat(question, answer)
    return Written(
        {
            "mastra.span.type": "model_step",
            "mastra.model_step.input": json.dumps({"body": {"model": "wren-1", "messages": asked}}),
            "mastra.model_step.output": json.dumps({"text": answer, "toolCalls": []}),
        }
    )


def _braintrust(question: str, answer: str) -> Written:
    asked, said = chat(question, answer)
    return Written(
        {
            "braintrust.span_attributes": '{"type":"llm"}',
            "braintrust.input_json": json.dumps(asked),
            "braintrust.output_json": json.dumps([{"index": 0, "message": said}]),
        }
    )


def _sentry(question: str, answer: str) -> Written:
    asked, _ = chat(question, answer)
    said = {"gen_ai.request.messages": json.dumps(asked), "gen_ai.response.text": json.dumps([answer])}
    return Written({**_MODEL, "sentry.op": "gen_ai.chat", **said})


def _traceai(question: str, answer: str) -> Written:
    return Written(
        {
            "gen_ai.span.kind": "LLM",
            "gen_ai.input.messages.0.message.role": "user",
            "gen_ai.input.messages.0.message.content": question,
            "gen_ai.output.messages.0.message.role": "assistant",
            "gen_ai.output.messages.0.message.content": answer,
        }
    )


def _monocle(question: str, answer: str) -> Written:
    asked = EventView("data.input", START, {"input": [json.dumps({"user": question})]})
    said = EventView("data.output", END, {"response": json.dumps({"assistant": answer})})
    attributes = {"span.type": "inference", "entity.1.type": "inference.openai", "entity.2.name": "wren-1"}
    return Written(attributes, [asked, said])


def _of(*parts: Callable[[str, str], Mapping[str, Any]], **more: Any) -> Callable[[str, str], Written]:
    def write(question: str, answer: str) -> Written:
        return Written(
            {**_MODEL, **more} | {k: v for part in parts for k, v in part(question, answer).items()}
        )

    return write


def _plain(question: str, answer: str) -> dict[str, Any]:
    return {"gen_ai.prompt": question, "gen_ai.completion": answer}


WRITERS: Sequence[Writer] = (
    Writer("semconv", "my.instrumentation", _of(semconv)),
    Writer("semconv-events", "my.instrumentation", _events),
    Writer("semconv-events", "openlit.otel.tracing", _content_events),
    Writer("semconv-events", "my.instrumentation", _of(_plain)),
    Writer("openllmetry", "opentelemetry.instrumentation.langchain", _of(semconv)),
    Writer("openllmetry-legacy", "opentelemetry.instrumentation.openai.v1", _of(indexed)),
    Writer("openinference", "openinference.instrumentation.openai", _openinference),
    Writer("openinference", "my.instrumentation", _openinference_values),
    Writer("pydantic-ai", "pydantic-ai", _of(semconv)),
    Writer("pydantic-ai", "pydantic-ai", _pydantic_events),
    Writer("litellm", "litellm", _of(semconv)),
    Writer("agent-framework", "agent_framework", _of(semconv)),
    Writer("anthropic-sdk", "com.anthropic.sdk.python", _of(semconv)),
    Writer("spring-ai", "org.springframework.boot", _of(semconv)),
    Writer("semantic-kernel", "semantic_kernel.connectors", _kernel),
    Writer("strands", "strands.telemetry.tracer", _strands),
    Writer("google-adk", "gcp.vertex.agent", _adk, "call_llm"),
    Writer("logfire", "logfire.openai", _logfire),
    Writer("langfuse", "langfuse-sdk", _langfuse),
    Writer("langsmith", "langsmith", _langsmith),
    Writer("mlflow", "mlflow", _mlflow),
    Writer("vercel-ai", "ai", _vercel),
    Writer("genkit", "genkit-tracer", _genkit),
    Writer("haystack", "haystack", _haystack),
    Writer("haystack", "haystack", _haystack_repr, "haystack.agent.step.llm"),
    Writer("llama-index-events", "llamaindex.opentelemetry.tracer", _llama_index, "OpenAI.chat"),
    Writer("laminar", "lmnr.tracer", _laminar),
    Writer("langtrace", "langtrace_python_sdk.instrumentation.openai.instrumentation", _langtrace),
    Writer("langwatch", "langwatch", _langwatch),
    Writer("mastra", "@mastra/otel", _mastra),
    Writer("braintrust", "braintrust-java", _braintrust),
    Writer("sentry", "@sentry/node", _sentry),
    Writer("traceai", "traceai_openai", _traceai),
    Writer("monocle", "monocle_apptrace", _monocle),
)
