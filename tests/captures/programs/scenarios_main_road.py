"""The main road: LangChain over OpenAI's Chat Completions, its Responses API, and Anthropic.

The same application three times: the variable ``CAPTURED_API`` says over which. The words of the scenarios
are the server's script (``openai_answers``).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from langchain.agents import create_agent
from langchain_anthropic import ChatAnthropic
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel
from recording import record

LOOP = asyncio.new_event_loop()
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
API = os.environ["CAPTURED_API"]


class Fruit(BaseModel):
    """How many there are."""

    berries: int


@tool
def get_weather(city: str) -> str:
    """Get the weather."""
    return f"sunny in {city}, 21C"


def chat(**more: Any) -> BaseChatModel:
    common: dict[str, Any] = {"temperature": 0.2, "max_tokens": 64, "max_retries": 0} | more
    if API == "anthropic":
        return ChatAnthropic(model_name="claude-sonnet-5", **common)
    return ChatOpenAI(model="gpt-4o-mini", stream_usage=True, use_responses_api=API == "responses", **common)


def ask(text: str, system: Any = "You are a helpful assistant.") -> list[BaseMessage]:
    return [SystemMessage(system), HumanMessage(text)]


def drained(model: Any, text: str) -> None:
    for _ in model.stream(ask(text)):
        pass


def failing(run: Callable[[], object]) -> None:
    """Whatever the clients and their transports raise."""
    with suppress(Exception):
        run()


def reasoning() -> Any:
    if API == "responses":
        return chat(reasoning={"effort": "low", "summary": "auto"}, temperature=None)
    if API == "anthropic":
        return chat(thinking={"type": "enabled", "budget_tokens": 1024}, max_tokens=2048, temperature=None)
    return chat(reasoning_effort="low", temperature=None)


def history_of_reasoning() -> None:
    """The second question after a first answer as it came back, thoughts and all."""
    first = ask("REASON first question")
    answer = reasoning().invoke(first)
    reasoning().invoke([*first, answer, HumanMessage("second question")])


def searching() -> Any:
    return chat().bind_tools(
        [
            {"type": "web_search_20250305", "name": "web_search", "max_uses": 3}
            if API == "anthropic"
            else {"type": "web_search"}
        ]
    )


def history_of_search() -> None:
    first = ask("SEARCH first question")
    answer = searching().invoke(first)
    searching().invoke([*first, answer, HumanMessage("second question")])


def two_calls() -> None:
    """Parallel calls and their results, by hand."""
    model = chat().bind_tools([get_weather])
    asked = ask("TOOLS PARALLEL TALK weather?")
    called: Any = model.invoke(asked)
    results = [
        ToolMessage(get_weather.invoke(call["args"]), tool_call_id=call["id"]) for call in called.tool_calls
    ]
    model.invoke([*asked, called, *results])


def agent(text: str, **more: Any) -> None:
    made = create_agent(chat(), tools=[get_weather], system_prompt="You are a weather bot.", **more)
    made.invoke({"messages": [HumanMessage(text)]}, config={"configurable": {"thread_id": "thread-42"}})


def cached_prompt() -> None:
    system: Any = [{"type": "text", "text": "You are a helpful assistant."}]
    if API == "anthropic":
        system[0]["cache_control"] = {"type": "ephemeral"}
    chat().invoke(ask("CACHE What is OpenTelemetry?", system))


def image() -> None:
    content: list[Any] = [
        {"type": "text", "text": "What is in this image?"},
        {"type": "image", "base64": PIXEL, "mime_type": "image/png"},
    ]
    chat().invoke([SystemMessage("You are a helpful assistant."), HumanMessage(content)])


def abandoned() -> None:
    stream = chat().stream(ask("LONG 20"))
    for chunk in stream:
        if chunk.text:
            break
    stream.close()  # type: ignore[attr-defined]


async def async_stream() -> None:
    async for _ in chat().astream(ask("ECHO streamed")):
        pass


async def async_calls() -> None:
    await asyncio.gather(*(chat().ainvoke(ask(f"ECHO async{i}")) for i in range(3)))


SCENARIOS: dict[str, Callable[[], object]] = {
    "a_invoke": lambda: chat().invoke(ask("What is OpenTelemetry?")),
    "b_stream": lambda: drained(chat(), "What is OpenTelemetry?"),
    "c_multiturn": lambda: chat().invoke(
        [*ask("first question"), AIMessage("first answer"), HumanMessage("second question")]
    ),
    "d_agent": lambda: agent("TOOLS weather in Paris?"),
    "d_parallel": two_calls,
    "d_parallel_agent": lambda: agent("TOOLS PARALLEL weather in both?"),
    "d_stream_tools": lambda: drained(chat().bind_tools([get_weather]), "TOOLS PARALLEL weather?"),
    "d_stream_words_and_tools": lambda: drained(chat().bind_tools([get_weather]), "TOOLS TALK weather?"),
    "e_err400": lambda: failing(lambda: chat().invoke(ask("ERR400"))),
    "e_err429": lambda: failing(lambda: chat().invoke(ask("ERR429"))),
    "e_err500": lambda: failing(lambda: chat().invoke(ask("ERR500"))),
    "e_err500_stream": lambda: failing(lambda: drained(chat(), "ERR500")),
    "g_refused": lambda: chat().invoke(ask("FILTER What is OpenTelemetry?")),
    "h_length": lambda: chat(max_tokens=3).invoke(ask("LONG 20")),
    "i_n2": lambda: chat(n=2).invoke(ask("two choices")) if API == "chat" else None,
    "i_n2_stream": lambda: drained(chat(n=2), "two choices") if API == "chat" else None,
    "j_json": lambda: chat().with_structured_output(Fruit).invoke(ask("JSON how many?")),
    "j_json_by_schema": lambda: (
        chat().with_structured_output(Fruit, method="json_schema").invoke(ask("JSON how many?"))
    ),
    "j_json_by_function": lambda: (
        chat().with_structured_output(Fruit, method="function_calling").invoke(ask("JSON how many?"))
    ),
    "j_json_stream": lambda: failing(
        lambda: drained(chat().with_structured_output(Fruit, method="json_schema"), "JSON how many?")
    ),
    "j_json_agent": lambda: agent("TOOLS JSON weather and berries?", response_format=Fruit),
    "k_async": lambda: LOOP.run_until_complete(async_calls()),
    "l_cached": cached_prompt,
    "r_reasoning": lambda: reasoning().invoke(ask("REASON What is OpenTelemetry?")),
    "r_reasoning_stream": lambda: drained(reasoning(), "REASON What is OpenTelemetry?"),
    "r_reasoning_tools": lambda: reasoning().bind_tools([get_weather]).invoke(ask("REASON TOOLS weather?")),
    "r_reasoning_history": history_of_reasoning,
    "s_image": image,
    "s_search": lambda: searching().invoke(ask("SEARCH news?")) if API != "chat" else None,
    "s_search_stream": lambda: drained(searching(), "SEARCH news?") if API != "chat" else None,
    "s_search_history": lambda: history_of_search() if API != "chat" else None,
    "t_cut_stream": lambda: failing(lambda: drained(chat(), "DISCONNECT LONG 20")),
    "t_stream_error": lambda: failing(lambda: drained(chat(), "STREAMERR LONG 20")),
    "x_async_stream": lambda: LOOP.run_until_complete(async_stream()),
    "z_abandoned": abandoned,
}

if __name__ == "__main__":
    record(SCENARIOS)
