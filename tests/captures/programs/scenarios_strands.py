"""Strands Agents, which instruments itself."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from openai import OpenAIError
from recording import record
from strands import Agent, tool
from strands.models.openai import OpenAIModel
from strands.types.exceptions import ModelThrottledException


class Instrumentor:
    """Nothing to do: it writes to the global providers, which are ours."""

    def instrument(self, tracer_provider: Any, logger_provider: Any) -> None:
        pass


@tool
def get_weather(city: str) -> str:
    """Get the weather.

    Args:
        city: the city
    """
    return f"sunny in {city}, 21C"


def ask(text: Any, tools: Any = None, history: Any = None) -> None:
    model = OpenAIModel(
        client_args={"max_retries": 0},
        model_id="gpt-4o-mini",
        params={"temperature": 0.2, "max_tokens": 64},
    )
    Agent(
        model=model,
        system_prompt="You are a helpful assistant.",
        tools=tools,
        messages=history,
        callback_handler=None,
    )(text)


def failing() -> None:
    # Of a 429 it waits for minutes.
    with suppress(OpenAIError, ModelThrottledException):
        ask("ERR400")


HISTORY = [
    {"role": "user", "content": [{"text": "first question"}]},
    {"role": "assistant", "content": [{"text": "first answer"}]},
]
IMAGE = {"image": {"format": "png", "source": {"bytes": b"\x89PNG\r\n\x1a\n"}}}
SCENARIOS = {
    "a_invoke": lambda: ask("What is OpenTelemetry?"),
    "c_multiturn": lambda: ask("second question", history=[*HISTORY]),
    "d_tools": lambda: ask("TOOLS weather?", [get_weather]),
    "e_err400": failing,
    "g_unicode": lambda: ask('EMOJI ¿Qué tal? 你好 🌍👩‍💻 "quoted" \\ back'),
    "s_image": lambda: ask([{"text": "What is in this image?"}, IMAGE]),
}

if __name__ == "__main__":
    record(SCENARIOS)
