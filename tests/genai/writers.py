"""A small writer of each dialect: a question and an answer onto a span, as the instrumentation does."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from otel_arthur.genai.span import EventView
from tests.genai import product_writers as product
from tests.genai.spans import END, START
from tests.genai.written import MODEL, Writer, Written, chat

_LANGFUSE = "langfuse.observation."


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
    return Written(MODEL, [asked, said])


def _content_events(question: str, answer: str) -> Written:
    asked = EventView("gen_ai.content.prompt", START, {"gen_ai.prompt": question})
    said = EventView("gen_ai.content.completion", END, {"gen_ai.completion": answer})
    return Written(MODEL, [asked, said])


def _kernel(question: str, answer: str) -> Written:
    asked = json.dumps({"role": "user", "content": question})
    said = json.dumps({"message": {"role": "assistant", "content": answer}, "finish_reason": "stop"})
    return Written(
        MODEL,
        [
            EventView("gen_ai.user.message", START, {"CHAT_MESSAGE_INDEX": 0}, asked),
            EventView("gen_ai.choice", START, {"CHAT_MESSAGE_INDEX": 1}, said),
        ],
    )


def _strands(question: str, answer: str) -> Written:
    asked = EventView("gen_ai.user.message", START, {"content": json.dumps([{"text": question}])})
    said = {"message": json.dumps([{"text": answer}]), "finish_reason": "end_turn"}
    return Written(MODEL, [asked, EventView("gen_ai.choice", END, said)])


def _pydantic_events(question: str, answer: str) -> Written:
    events = [
        {"event.name": "gen_ai.user.message", "role": "user", "content": question},
        {"event.name": "gen_ai.choice", "message": {"role": "assistant", "content": answer}},
    ]
    return Written({**MODEL, "events": json.dumps(events)})


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


def _of(*parts: Callable[[str, str], Mapping[str, Any]], **more: Any) -> Callable[[str, str], Written]:
    def write(question: str, answer: str) -> Written:
        return Written(
            {**MODEL, **more} | {k: v for part in parts for k, v in part(question, answer).items()}
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
    Writer("openlit", "openlit.instrumentation.openai", _of(semconv)),
    Writer("netra", "netra.instrumentation.openai", _of(indexed)),
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
    Writer("genkit", "genkit-tracer", product.genkit),
    Writer("haystack", "haystack", product.haystack),
    Writer("haystack", "haystack", product.haystack_repr, "haystack.agent.step.llm"),
    Writer("llama-index-events", "llamaindex.opentelemetry.tracer", product.llama_index, "OpenAI.chat"),
    Writer("laminar", "lmnr.tracer", product.laminar),
    Writer("langtrace", "langtrace_python_sdk.instrumentation.openai.instrumentation", product.langtrace),
    Writer("langwatch", "langwatch", product.langwatch),
    Writer("koog", "captures", product.koog),
    Writer("quarkus", "io.quarkus.opentelemetry", product.quarkus, "completion wren-1"),
    Writer("gemini-cli", "gemini-cli", product.gemini_cli, "llm_call"),
    Writer("mastra", "@mastra/otel", product.mastra),
    Writer("braintrust", "braintrust-java", product.braintrust),
    Writer("sentry", "@sentry/node", product.sentry),
    Writer("traceai", "traceai_openai", product.traceai),
    Writer("monocle", "monocle_apptrace", product.monocle),
)
