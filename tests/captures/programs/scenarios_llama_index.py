"""LlamaIndex: calls by themselves, and by the methods and engines around them."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from typing import Any

import openai
from llama_index.core.llms import ChatMessage
from llama_index.core.prompts import ChatPromptTemplate
from llama_index.core.tools import FunctionTool
from llama_index.llms.openai import OpenAI
from opentelemetry import trace
from recording import record

llm = OpenAI(
    model="gpt-4o-mini",
    api_base=os.environ["OPENAI_BASE_URL"],
    api_key="test",
    temperature=0.2,
    max_tokens=64,
    max_retries=0,
)
SYSTEM = ChatMessage(role="system", content="You are a helpful assistant.")


def get_weather(city: str) -> str:
    """Get the weather."""
    return f"sunny in {city}, 21C"


def asked(text: str) -> list[ChatMessage]:
    return [SYSTEM, ChatMessage(role="user", content=text)]


def tools() -> None:
    tool = FunctionTool.from_defaults(get_weather)
    question = asked("TOOLS weather?")
    called = llm.chat_with_tools([tool], chat_history=question).message
    result = ChatMessage(
        role="tool",
        content=get_weather("Paris"),
        additional_kwargs={"tool_call_id": llm.get_tool_calls_from_response(_response(called))[0].tool_id},
    )
    llm.chat_with_tools([tool], chat_history=[*question, called, result])


def _response(message: ChatMessage) -> Any:
    from llama_index.core.llms import ChatResponse

    return ChatResponse(message=message)


def failing() -> None:
    with suppress(openai.RateLimitError):
        llm.chat(asked("ERR429"))


def predicted() -> None:
    """What a query engine does: a method that fills a template, around the call."""
    template = ChatPromptTemplate([SYSTEM, ChatMessage(role="user", content="Answer from: {context}")])
    llm.predict(template, context="doc one")


def user_span() -> None:
    with trace.get_tracer("my-application").start_as_current_span("http-request"):
        llm.chat(asked("inside user span"))


SCENARIOS = {
    "a_invoke": lambda: llm.chat(asked("What is OpenTelemetry?")),
    "b_stream": lambda: list(llm.stream_chat(asked("What is OpenTelemetry?"))),
    "d_tools": tools,
    "e_err429": failing,
    "g_unicode": lambda: llm.chat(asked('EMOJI ¿Qué tal? 你好 🌍👩‍💻 "quoted" \\ back')),
    "k_async": lambda: asyncio.run(llm.achat(asked("ECHO async"))),
    "r_user_span": user_span,
    "y_rag": predicted,
}

if __name__ == "__main__":
    record(SCENARIOS)
