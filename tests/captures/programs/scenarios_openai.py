"""What an application on OpenAI's own client does. A letter means the same as with LangChain."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from openai import AsyncOpenAI, OpenAI, OpenAIError
from opentelemetry import trace
from recording import record

SYSTEM: dict[str, Any] = {"role": "system", "content": "You are a helpful assistant."}
# One loop for all scenarios: the clients keep connections that belong to a loop.
LOOP = asyncio.new_event_loop()
PIXEL = "iVBORw0KGgo="
USAGE = {"include_usage": True}
TOOLS: list[Any] = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "Get the weather.",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
            },
        },
    }
]


def ask(text: Any) -> list[Any]:
    return [SYSTEM, {"role": "user", "content": text}]


def create(messages: list[Any], **more: Any) -> Any:
    arguments = {"model": "gpt-4o-mini", "temperature": 0.2, "max_tokens": 64} | more
    return OpenAI(max_retries=0).chat.completions.create(messages=messages, **arguments)


def stream(text: str, **more: Any) -> None:
    list(create(ask(text), stream=True, **more))


def tools() -> None:
    question = {"role": "user", "content": "TOOLS weather?"}
    call = create([SYSTEM, question], tools=TOOLS).choices[0].message
    result = {
        "role": "tool",
        "tool_call_id": call.tool_calls[0].id,
        "content": "sunny in Paris, 21C",
    }
    create([SYSTEM, question, call.model_dump(exclude_none=True), result], tools=TOOLS)


def failing(text: str, **more: Any) -> None:
    with suppress(OpenAIError):
        list(create(ask(text), **more))


def batch() -> None:
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda i: create(ask(f"SLEEP 0.05 ECHO batch{i}")), range(3)))


async def acreate(text: str, **more: Any) -> Any:
    return await AsyncOpenAI().chat.completions.create(model="gpt-4o-mini", messages=ask(text), **more)


async def async_calls() -> None:
    await asyncio.gather(*(acreate(f"SLEEP 0.05 ECHO async{i}") for i in range(3)))


async def async_stream() -> None:
    async for _ in await acreate("ECHO streamed", stream=True, stream_options=USAGE):
        pass


def long_history() -> None:
    turns = [SYSTEM]
    for number in range(70):
        turns += [
            {"role": "user", "content": f"question {number}"},
            {"role": "assistant", "content": f"answer {number}"},
        ]
    create([*turns, {"role": "user", "content": "the last question"}])


def user_span() -> None:
    with trace.get_tracer("my-application").start_as_current_span("http-request"):
        create(ask("inside user span"))


def abandoned() -> None:
    """The application stops reading after the second piece."""
    with create(ask("LONG 20"), stream=True, stream_options=USAGE) as pieces:
        next(pieces)
        next(pieces)


def responses(**more: Any) -> Any:
    return OpenAI().responses.create(
        model="gpt-4o-mini",
        instructions="You are a helpful assistant.",
        input="What is OpenTelemetry?",
        max_output_tokens=64,
        **more,
    )


SCENARIOS = {
    "a_invoke": lambda: create(ask("What is OpenTelemetry?")),
    "b_stream": lambda: stream("What is OpenTelemetry?", stream_options=USAGE),
    "c_multiturn": lambda: create(
        [
            SYSTEM,
            {"role": "user", "content": "first question"},
            {"role": "assistant", "content": "first answer"},
            {"role": "user", "content": "second question"},
        ]
    ),
    "d_tools": tools,
    "e_err429": lambda: failing("ERR429"),
    "g_unicode": lambda: create(ask('EMOJI ¿Qué tal? 你好 🌍👩‍💻 "quoted" \\ back')),
    "h_completion": lambda: OpenAI().completions.create(
        model="gpt-3.5-turbo-instruct", prompt="Once upon a time", max_tokens=64, logprobs=2
    ),
    "i_n2": lambda: create([{"role": "user", "content": "two"}], n=2),
    "j_batch": batch,
    "k_async": lambda: LOOP.run_until_complete(async_calls()),
    "l_responses": responses,
    "m_embeddings": lambda: OpenAI().embeddings.create(model="text-embedding-3-small", input="hello"),
    "p_long_history": long_history,
    "q_metadata": lambda: create(ask("plain string prompt"), user="user-9"),
    "r_user_span": user_span,
    "s_image": lambda: create(
        ask(
            [
                {"type": "text", "text": "What is in this image?"},
                {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
            ]
        )
    ),
    "t_stream_error": lambda: failing("STREAMERR", stream=True, stream_options=USAGE),
    "u_stream_no_usage": lambda: stream("What is OpenTelemetry?"),
    "v_responses_stream": lambda: list(responses(stream=True)),
    "w_logprobs": lambda: create(ask("What is OpenTelemetry?"), logprobs=True, top_logprobs=2),
    "x_async_stream": lambda: LOOP.run_until_complete(async_stream()),
    "z_abandoned": abandoned,
}

if __name__ == "__main__":
    record(SCENARIOS)
