"""LiteLLM with its own OpenTelemetry callback."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import litellm
from opentelemetry import trace
from recording import record

litellm.suppress_debug_info = True
MODEL = "openai/gpt-4o-mini"
SYSTEM = {"role": "system", "content": "You are a helpful assistant."}
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "Get the weather.",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
            },
        },
    }
]


class Instrumentor:
    """The callback ``otel``, bound to our provider."""

    def instrument(self, tracer_provider: Any, logger_provider: Any) -> None:
        from litellm.integrations.opentelemetry import OpenTelemetry, OpenTelemetryConfig

        litellm.callbacks = [
            OpenTelemetry(config=OpenTelemetryConfig(exporter="none"), tracer_provider=tracer_provider)
        ]


def complete(text: str, *more: Any, **arguments: Any) -> Any:
    messages = [SYSTEM, {"role": "user", "content": text}, *more]
    return litellm.completion(
        MODEL, messages=messages, temperature=0.2, max_tokens=64, num_retries=0, max_retries=0, **arguments
    )


def settle() -> None:
    """Callbacks run on a thread of their own, after the call has returned."""
    time.sleep(1)


def invoke(text: str) -> None:
    complete(text)
    settle()


def stream() -> None:
    list(complete("What is OpenTelemetry?", stream=True, stream_options={"include_usage": True}))
    settle()


def tools() -> None:
    call = complete("TOOLS weather?", tools=TOOLS).choices[0].message
    result = {
        "role": "tool",
        "tool_call_id": call.tool_calls[0].id,
        "content": "sunny in Paris, 21C",
    }
    settle()
    complete("TOOLS weather?", call.model_dump(exclude_none=True), result, tools=TOOLS)
    settle()


def failing() -> None:
    with suppress(litellm.exceptions.RateLimitError):
        complete("ERR429")
    settle()


def user_span() -> None:
    with trace.get_tracer("my-application").start_as_current_span("http-request"):
        complete("inside user span")
        settle()


SCENARIOS = {
    "a_invoke": lambda: invoke("What is OpenTelemetry?"),
    "b_stream": stream,
    "d_tools": tools,
    "e_err429": failing,
    "g_unicode": lambda: invoke('EMOJI ¿Qué tal? 你好 🌍👩‍💻 "quoted" \\ back'),
    "r_user_span": user_span,
}

if __name__ == "__main__":
    record(SCENARIOS)
