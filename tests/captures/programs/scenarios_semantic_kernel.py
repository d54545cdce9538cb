"""What an application on Semantic Kernel does. A letter means the same as with LangChain."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any

from openai import AsyncOpenAI
from opentelemetry.sdk._logs import LoggingHandler
from recording import record
from semantic_kernel import Kernel
from semantic_kernel.connectors.ai.function_choice_behavior import FunctionChoiceBehavior
from semantic_kernel.connectors.ai.open_ai import OpenAIChatCompletion, OpenAIChatPromptExecutionSettings
from semantic_kernel.contents import ChatHistory
from semantic_kernel.exceptions import ServiceException
from semantic_kernel.functions import kernel_function

LOOP = asyncio.new_event_loop()


class Instrumentor:
    """Semantic Kernel writes to the global tracer provider by itself; its events are log records."""

    def instrument(self, *, tracer_provider: Any, logger_provider: Any) -> None:
        logger = logging.getLogger("semantic_kernel")
        logger.setLevel(logging.INFO)
        logger.addHandler(LoggingHandler(logger_provider=logger_provider))


class Weather:
    @kernel_function(name="get_weather", description="Get the weather.")
    def get_weather(self, city: str) -> str:
        return f"sunny in {city}, 21C"


def history(*turns: str) -> ChatHistory:
    """User and assistant in turn."""
    told = ChatHistory(system_message="You are a helpful assistant.")
    for number, turn in enumerate(turns):
        (told.add_assistant_message if number % 2 else told.add_user_message)(turn)
    return told


def service() -> Any:
    return OpenAIChatCompletion(ai_model_id="gpt-4o-mini", async_client=AsyncOpenAI(max_retries=0))


async def ask(*turns: str, **more: Any) -> None:
    settings = OpenAIChatPromptExecutionSettings(temperature=0.2, max_tokens=64, **more)
    kernel = Kernel()
    if more:
        kernel.add_plugin(Weather(), "weather")
    await service().get_chat_message_content(history(*turns), settings, kernel=kernel)


async def stream(text: str) -> None:
    settings = OpenAIChatPromptExecutionSettings(temperature=0.2, max_tokens=64)
    async for _ in service().get_streaming_chat_message_content(history(text), settings, kernel=Kernel()):
        pass


async def failing() -> None:
    with suppress(ServiceException):
        await ask("ERR429")


async def async_calls() -> None:
    await asyncio.gather(*(ask(f"SLEEP 0.05 ECHO async{i}") for i in range(3)))


def run(work: Any) -> None:
    LOOP.run_until_complete(work)


SCENARIOS = {
    "a_invoke": lambda: run(ask("What is OpenTelemetry?")),
    "b_stream": lambda: run(stream("What is OpenTelemetry?")),
    "c_multiturn": lambda: run(ask("first question", "first answer", "second question")),
    "e_err429": lambda: run(failing()),
    "g_unicode": lambda: run(ask('EMOJI ¿Qué tal? 你好 🌍👩‍💻 "quoted" \\ back')),
    "k_async": lambda: run(async_calls()),
    "d_functions": lambda: run(ask("TOOLS weather?", function_choice_behavior=FunctionChoiceBehavior.Auto())),
}

if __name__ == "__main__":
    record(SCENARIOS)
