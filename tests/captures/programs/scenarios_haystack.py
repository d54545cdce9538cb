"""Haystack's own tracer: generators in pipelines, by themselves in an agent, streamed, with tools."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import Any

from haystack import Pipeline
from haystack.components.agents import Agent
from haystack.components.generators.chat import OpenAIChatGenerator
from haystack.core.errors import PipelineRuntimeError
from haystack.dataclasses import ChatMessage
from haystack.tools import Tool
from opentelemetry import trace
from recording import record

SYSTEM = ChatMessage.from_system("You are a helpful assistant.")
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}


class Instrumentor:
    """The tracer over the recorder's provider, with content."""

    def instrument(self, *, tracer_provider: Any, logger_provider: Any) -> None:
        from haystack import tracing
        from haystack_integrations.tracing.opentelemetry import OpenTelemetryTracer

        tracing.tracer.is_content_tracing_enabled = (
            os.environ.get("HAYSTACK_CONTENT_TRACING_ENABLED") == "true"
        )
        tracing.enable_tracing(OpenTelemetryTracer(trace.get_tracer("haystack")))


def generator(**more: Any) -> OpenAIChatGenerator:
    settings = {"temperature": 0.2, "max_tokens": 64}
    return OpenAIChatGenerator(model="gpt-4o-mini", generation_kwargs={**settings, **more}, max_retries=0)


def ask(text: str, *, streaming: bool = False, alone: bool = False, **more: Any) -> None:
    pipeline = Pipeline()
    pipeline.add_component("llm", generator(**more))
    told: dict[str, Any] = {"messages": [*([] if alone else [SYSTEM]), ChatMessage.from_user(text)]}
    if streaming:
        told["streaming_callback"] = lambda chunk: None
    pipeline.run({"llm": told})


def weather(function: Any) -> Tool:
    return Tool(name="get_weather", description="Get the weather.", parameters=SCHEMA, function=function)


def get_weather(city: str) -> str:
    return f"sunny in {city}, 21C"


def agent(function: Any) -> None:
    helper = Agent(
        chat_generator=generator(),
        system_prompt="You are a helpful assistant.",
        tools=[weather(function)],
    )
    helper.run(messages=[ChatMessage.from_user("TOOLS weather?")])


def failing() -> None:
    with suppress(PipelineRuntimeError):
        ask("ERR429")


def user_span() -> None:
    with trace.get_tracer("my-application").start_as_current_span("http-request"):
        ask("inside user span")


SCENARIOS = {
    "a_invoke": lambda: ask("What is OpenTelemetry?"),
    "b_stream": lambda: ask("What is OpenTelemetry?", streaming=True),
    "d_tools": lambda: agent(get_weather),
    # A function without a name cannot be serialised, so the input is Python's repr.
    "d_tools_repr": lambda: agent(lambda city: get_weather(city)),
    "e_err429": failing,
    "g_unicode": lambda: ask('EMOJI ¿Qué tal? 你好 🌍👩‍💻 "quoted" \\ back'),
    "i_n2": lambda: ask("two", alone=True, n=2),
    "r_user_span": user_span,
}

if __name__ == "__main__":
    record(SCENARIOS)
