"""Microsoft Agent Framework, which instruments itself."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from agent_framework import Agent
from agent_framework.exceptions import AgentFrameworkException
from agent_framework.openai import OpenAIChatCompletionClient
from recording import record

LOOP = asyncio.new_event_loop()


class Instrumentor:
    """The framework's own switch; it writes to the global providers, which are ours."""

    def __init__(self, **arguments: Any) -> None:
        self.arguments = arguments

    def instrument(self, tracer_provider: Any, logger_provider: Any) -> None:
        from agent_framework.observability import enable_instrumentation

        enable_instrumentation(**self.arguments)


def get_weather(city: str) -> str:
    """Get the weather."""
    return f"sunny in {city}, 21C"


async def ask(text: str, stream: bool = False, tools: Any = None) -> None:
    agent = Agent(
        OpenAIChatCompletionClient(model="gpt-4o-mini"),
        instructions="You are a helpful assistant.",
        tools=tools,
        default_options={"temperature": 0.2, "max_tokens": 64},
    )
    if stream:
        async for _ in agent.run(text, stream=True):
            pass
    else:
        await agent.run(text)


def run(text: str, **more: Any) -> None:
    LOOP.run_until_complete(ask(text, **more))


def failing() -> None:
    with suppress(AgentFrameworkException):
        run("ERR429")


SCENARIOS = {
    "a_invoke": lambda: run("What is OpenTelemetry?"),
    "b_stream": lambda: run("What is OpenTelemetry?", stream=True),
    "d_tools": lambda: run("TOOLS weather?", tools=[get_weather]),
    "e_err429": failing,
    "g_unicode": lambda: run('EMOJI ¿Qué tal? 你好 🌍👩‍💻 "quoted" \\ back'),
}

if __name__ == "__main__":
    record(SCENARIOS)
