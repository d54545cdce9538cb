"""Anthropic's own client: its instrumentations, and the spans that it writes by itself."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

import anthropic
from opentelemetry import trace
from recording import record

client = anthropic.Anthropic(
    base_url=os.environ["OPENAI_BASE_URL"].removesuffix("/v1"), api_key="test", max_retries=0
)
TOOLS = [
    {
        "name": "get_weather",
        "description": "Get the weather.",
        "input_schema": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    }
]
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="


class Instrumentor:
    """The client instruments itself."""

    def instrument(self, tracer_provider: Any, logger_provider: Any) -> None:
        """Nothing to do: it takes the global provider."""


def ask(content: Any, *more: Any, **arguments: Any) -> Any:
    return client.messages.create(**_request(content, *more), **arguments)


def _request(content: Any, *more: Any) -> dict[str, Any]:
    return {
        "model": "claude-sonnet-5",
        "max_tokens": 64,
        "system": "You are a helpful assistant.",
        "messages": [{"role": "user", "content": content}, *more],
    }


def stream() -> None:
    with client.messages.stream(**_request("What is OpenTelemetry?")) as events:
        for _ in events.text_stream:
            pass


def tools() -> None:
    called = ask("TOOLS weather?", tools=TOOLS)
    block = called.content[0]
    result = {"type": "tool_result", "tool_use_id": block.id, "content": "sunny in Paris, 21C"}
    ask(
        "TOOLS weather?",
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": block.id, "name": block.name, "input": block.input}],
        },
        {"role": "user", "content": [result]},
        tools=TOOLS,
    )


def failing() -> None:
    with suppress(anthropic.RateLimitError):
        ask("ERR429")


def image() -> None:
    source = {"type": "base64", "media_type": "image/png", "data": PIXEL}
    ask([{"type": "text", "text": "What is in this image?"}, {"type": "image", "source": source}])


def user_span() -> None:
    with trace.get_tracer("my-application").start_as_current_span("http-request"):
        ask("inside user span")


SCENARIOS = {
    "a_invoke": lambda: ask("What is OpenTelemetry?"),
    "b_stream": stream,
    "d_tools": tools,
    "e_err429": failing,
    "g_unicode": lambda: ask('EMOJI ¿Qué tal? 你好 🌍👩‍💻 "quoted" \\ back'),
    "r_user_span": user_span,
    "s_image": image,
}

if __name__ == "__main__":
    record(SCENARIOS)
