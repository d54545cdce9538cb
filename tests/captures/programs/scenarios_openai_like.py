"""Clients that are made after OpenAI's: Groq's and Portkey's. A letter means the same as there."""

from __future__ import annotations

import os
from contextlib import suppress
from importlib.util import find_spec
from typing import Any

import httpx
from recording import record

SERVER = os.environ["OPENAI_BASE_URL"]
SYSTEM = {"role": "system", "content": "You are a helpful assistant."}
PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
FUNCTION = {"name": "get_weather", "description": "Get the weather.", "parameters": PARAMETERS}
TOOLS = [{"type": "function", "function": FUNCTION}]


class ByOpenAIsPaths(httpx.HTTPTransport):
    """Groq's server has its API below ``/openai``."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.url = request.url.copy_with(path=request.url.path.replace("/openai/", "/"))
        return super().handle_request(request)


def client() -> Any:
    if find_spec("groq"):
        from groq import Groq

        transport = httpx.Client(transport=ByOpenAIsPaths())
        return Groq(base_url=SERVER.removesuffix("/v1"), api_key="test", max_retries=0, http_client=transport)
    from portkey_ai import Portkey

    return Portkey(base_url=SERVER, api_key="test", provider="openai")


def ask(text: str) -> list[Any]:
    return [SYSTEM, {"role": "user", "content": text}]


def create(messages: list[Any], **more: Any) -> Any:
    settings = {"model": "gpt-4o-mini", "temperature": 0.2, "max_tokens": 64}
    return client().chat.completions.create(messages=messages, **settings, **more)


def tools() -> None:
    question = ask("TOOLS weather?")
    call = create(question, tools=TOOLS).choices[0].message
    result = {"role": "tool", "tool_call_id": call.tool_calls[0].id, "content": "sunny in Paris, 21C"}
    create([*question, call.model_dump(exclude_none=True), result], tools=TOOLS)


def failing() -> None:
    with suppress(Exception):
        create(ask("ERR429"))


SCENARIOS = {
    "a_invoke": lambda: create(ask("What is OpenTelemetry?")),
    "b_stream": lambda: list(create(ask("What is OpenTelemetry?"), stream=True)),
    "d_tools": tools,
    "e_err429": failing,
    "g_unicode": lambda: create(ask('EMOJI ¿Qué tal? 你好 🌍👩‍💻 "quoted" \\ back')),
}

if __name__ == "__main__":
    record(SCENARIOS)
