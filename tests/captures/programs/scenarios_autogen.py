"""AutoGen's AgentChat under OpenInference. A letter means the same as elsewhere."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from autogen_agentchat.agents import AssistantAgent
from autogen_ext.models.openai import OpenAIChatCompletionClient
from openai import OpenAIError
from recording import record


async def get_weather(city: str) -> str:
    """Get the weather."""
    return f"sunny in {city}, 21C"


def agent(*tools: Any, streaming: bool = False) -> AssistantAgent:
    client = OpenAIChatCompletionClient(model="gpt-4o-mini", temperature=0.2, max_tokens=64, max_retries=0)
    return AssistantAgent(
        name="helper",
        model_client=client,
        tools=list(tools),
        system_message="You are a helpful assistant.",
        reflect_on_tool_use=bool(tools),
        model_client_stream=streaming,
    )


async def run(text: str, *tools: Any, streaming: bool = False) -> None:
    async for _ in agent(*tools, streaming=streaming).run_stream(task=text):
        pass


LOOP = asyncio.new_event_loop()


def ask(text: str, *tools: Any, streaming: bool = False) -> None:
    LOOP.run_until_complete(run(text, *tools, streaming=streaming))


def failing() -> None:
    with suppress(OpenAIError):
        ask("ERR429")


SCENARIOS = {
    "a_invoke": lambda: ask("What is OpenTelemetry?"),
    "b_stream": lambda: ask("What is OpenTelemetry?", streaming=True),
    "d_tools": lambda: ask("TOOLS weather?", get_weather),
    "e_err429": failing,
    "g_unicode": lambda: ask('EMOJI ¿Qué tal? 你好 🌍👩‍💻 "quoted" \\ back'),
}

if __name__ == "__main__":
    record(SCENARIOS)
