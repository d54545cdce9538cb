"""An application on Pydantic AI, which instruments itself. A letter means the same as with LangChain."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from pydantic_ai import Agent, BinaryContent, InstrumentationSettings
from pydantic_ai.exceptions import ModelHTTPError
from pydantic_ai.messages import ModelRequest, ModelResponse, SystemPromptPart, TextPart, UserPromptPart
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from recording import record

SETTINGS: Any = {"temperature": 0.2, "max_tokens": 64}
LOOP = asyncio.new_event_loop()


class Instrumentor:
    """The library's own switch, in the form of an instrumentor. ``arguments`` are its settings."""

    def __init__(self, **arguments: Any) -> None:
        self.arguments = arguments

    def instrument(self, tracer_provider: Any, logger_provider: Any) -> None:
        Agent.instrument_all(InstrumentationSettings(tracer_provider=tracer_provider, **self.arguments))


def agent(model: Any = OpenAIChatModel, **more: Any) -> Agent[None, str]:
    told = {"system_prompt": "You are a helpful assistant."} | more
    return Agent(model("gpt-4o-mini"), model_settings=SETTINGS, retries=0, **told)


def ask(prompt: Any, history: Any = None, **more: Any) -> None:
    LOOP.run_until_complete(agent(**more).run(prompt, message_history=history))


async def stream(prompt: str) -> None:
    async with agent().run_stream(prompt) as result:
        async for _ in result.stream_text():
            pass


def multiturn() -> None:
    asked = [SystemPromptPart("You are a helpful assistant."), UserPromptPart("first question")]
    ask("second question", [ModelRequest(parts=asked), ModelResponse(parts=[TextPart("first answer")])])


def get_weather(city: str) -> str:
    """Get the weather."""
    return f"sunny in {city}, 21C"


def failing() -> None:
    with suppress(ModelHTTPError):
        ask("ERR429")


async def async_calls() -> None:
    await asyncio.gather(*(agent().run(f"SLEEP 0.05 ECHO async{i}") for i in range(3)))


IMAGE = BinaryContent(data=b"\x89PNG\r\n\x1a\n", media_type="image/png")
SCENARIOS = {
    "a_invoke": lambda: ask("What is OpenTelemetry?"),
    "b_stream": lambda: LOOP.run_until_complete(stream("What is OpenTelemetry?")),
    "c_multiturn": multiturn,
    "d_tools": lambda: ask("TOOLS weather?", tools=[get_weather]),
    "e_err429": failing,
    "g_unicode": lambda: ask('EMOJI ¿Qué tal? 你好 🌍👩‍💻 "quoted" \\ back'),
    "k_async": lambda: LOOP.run_until_complete(async_calls()),
    "l_responses": lambda: ask("What is OpenTelemetry?", model=OpenAIResponsesModel),
    "r_instructions": lambda: ask(
        "What is OpenTelemetry?", system_prompt=(), instructions="You are a helpful assistant."
    ),
    "s_image": lambda: ask(["What is in this image?", IMAGE]),
}

if __name__ == "__main__":
    record(SCENARIOS)
