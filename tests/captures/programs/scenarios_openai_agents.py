"""OpenAI's Agents SDK, traced by OpenInference or by Logfire. A letter means the same as elsewhere."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from agents import (
    Agent,
    ModelSettings,
    Runner,
    function_tool,
    set_default_openai_api,
    set_default_openai_client,
)
from openai import AsyncOpenAI, OpenAIError
from recording import record


class Instrumentor:
    """``api`` is OpenAI's: ``responses`` or ``chat_completions``; ``by`` is who traces it."""

    def __init__(self, *, api: str, by: str) -> None:
        self.by = by
        set_default_openai_api(api)  # type: ignore[arg-type]
        set_default_openai_client(AsyncOpenAI(max_retries=0), use_for_tracing=False)

    def instrument(self, *, tracer_provider: Any, logger_provider: Any) -> None:
        if self.by == "logfire":
            import logfire

            logfire.configure(
                send_to_logfire=False,
                console=False,
                scrubbing=False,
                additional_span_processors=[tracer_provider._active_span_processor],
            )
            logfire.instrument_openai_agents()
        else:
            from openinference.instrumentation.openai_agents import OpenAIAgentsInstrumentor

            OpenAIAgentsInstrumentor().instrument(tracer_provider=tracer_provider)


@function_tool
def get_weather(city: str) -> str:
    """Get the weather."""
    return f"sunny in {city}, 21C"


def agent(*tools: Any) -> Agent:
    return Agent(
        name="helper",
        instructions="You are a helpful assistant.",
        model="gpt-4o-mini",
        model_settings=ModelSettings(temperature=0.2, max_tokens=64),
        tools=list(tools),
    )


# One loop for all scenarios: the client keeps connections that belong to a loop.
LOOP = asyncio.new_event_loop()


def ask(text: str, *tools: Any) -> None:
    LOOP.run_until_complete(Runner.run(agent(*tools), text))


async def _stream() -> None:
    async for _ in Runner.run_streamed(agent(), "What is OpenTelemetry?").stream_events():
        pass


def failing() -> None:
    with suppress(OpenAIError):
        ask("ERR429")


SCENARIOS = {
    "a_invoke": lambda: ask("What is OpenTelemetry?"),
    "b_stream": lambda: LOOP.run_until_complete(_stream()),
    "d_tools": lambda: ask("TOOLS weather?", get_weather),
    "e_err429": failing,
    "g_unicode": lambda: ask('EMOJI ¿Qué tal? 你好 🌍👩‍💻 "quoted" \\ back'),
}

if __name__ == "__main__":
    record(SCENARIOS)
