"""Google's Agent Development Kit, which instruments itself, over LiteLLM."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import litellm
from google.adk.agents import LlmAgent
from google.adk.models.lite_llm import LiteLlm
from google.adk.runners import InMemoryRunner
from google.genai import types
from recording import record

LOOP = asyncio.new_event_loop()
litellm.suppress_debug_info = True


class Instrumentor:
    """Nothing to do: it writes to the global providers, which are ours."""

    def instrument(self, tracer_provider: Any, logger_provider: Any) -> None:
        from opentelemetry._logs import set_logger_provider

        set_logger_provider(logger_provider)


def get_weather(city: str) -> str:
    """Get the weather."""
    return f"sunny in {city}, 21C"


async def ask(text: str, tools: Any = ()) -> None:
    agent = LlmAgent(
        name="weather",
        model=LiteLlm(model="openai/gpt-4o-mini", num_retries=0, max_retries=0),
        instruction="You are a helpful assistant.",
        tools=list(tools),
        generate_content_config=types.GenerateContentConfig(temperature=0.2, max_output_tokens=64),
    )
    runner = InMemoryRunner(agent, app_name="captures")
    session = await runner.session_service.create_session(app_name="captures", user_id="user-9")
    message = types.Content(role="user", parts=[types.Part(text=text)])
    async for _ in runner.run_async(user_id="user-9", session_id=session.id, new_message=message):
        pass


def run(text: str, **more: Any) -> None:
    LOOP.run_until_complete(ask(text, **more))


def failing() -> None:
    with suppress(Exception):
        run("ERR429")


SCENARIOS = {
    "a_invoke": lambda: run("What is OpenTelemetry?"),
    "d_tools": lambda: run("TOOLS weather?", tools=[get_weather]),
    "e_err429": failing,
    "g_unicode": lambda: run('EMOJI ¿Qué tal? 你好 🌍👩‍💻 "quoted" \\ back'),
}

if __name__ == "__main__":
    record(SCENARIOS)
