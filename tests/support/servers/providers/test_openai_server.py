"""The test server against OpenAI's own client: what other tests lean on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import openai
import pytest

from tests.support.servers.providers.openai_answers import (
    DEFAULT_TEXT,
    EMOJI_TEXT,
    RESPONSE_MODEL,
    WEATHER_TEXT,
)
from tests.support.servers.providers.openai_server import OpenAIServer

TOOLS: list[Any] = [
    {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}
]


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer() as running:
        yield running


@pytest.fixture
def client(server: OpenAIServer) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=server.base_url, api_key="test", max_retries=0) as one:
        yield one


def ask(client: openai.OpenAI, text: str, **more: Any) -> Any:
    messages: list[Any] = [{"role": "user", "content": text}]
    return client.chat.completions.create(model="gpt-4o-mini", messages=messages, **more)


def test_chat(server: OpenAIServer, client: openai.OpenAI) -> None:
    reply = ask(client, "What is OpenTelemetry?")
    assert reply.choices[0].message.content == DEFAULT_TEXT
    assert reply.model == RESPONSE_MODEL
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (21, 7)
    assert reply.usage.prompt_tokens_details.cached_tokens == 4
    assert reply.usage.completion_tokens_details.reasoning_tokens == 2
    [call] = server.calls
    assert (call.response_id, call.texts, call.status) == (reply.id, (DEFAULT_TEXT,), 200)


def test_ids_are_unique_and_connections_are_kept(server: OpenAIServer, client: openai.OpenAI) -> None:
    ids = {ask(client, "hi").id for _ in range(5)}
    assert ids == {call.response_id for call in server.calls}
    assert len(ids) == 5


def test_stream(server: OpenAIServer, client: openai.OpenAI) -> None:
    chunks = list(ask(client, "EMOJI", stream=True, stream_options={"include_usage": True}))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == EMOJI_TEXT
    assert chunks[-1].usage.total_tokens == 28
    assert {chunk.id for chunk in chunks} == {server.calls[0].response_id}
    assert server.calls[0].streamed


def test_stream_without_usage(client: openai.OpenAI) -> None:
    assert all(chunk.usage is None for chunk in ask(client, "hi", stream=True))


def test_two_choices(client: openai.OpenAI) -> None:
    reply = ask(client, "two", n=2)
    assert [choice.message.content for choice in reply.choices] == [
        f"{DEFAULT_TEXT} #0",
        f"{DEFAULT_TEXT} #1",
    ]


@pytest.mark.parametrize("stream", [False, True])
def test_tool_call_and_result(client: openai.OpenAI, stream: bool) -> None:
    first = ask(client, "TOOLS weather?", tools=TOOLS, stream=stream)
    if stream:
        parts = [c.choices[0].delta.tool_calls[0] for c in first if c.choices[0].delta.tool_calls]
        name, arguments = parts[0].function.name, "".join(part.function.arguments for part in parts)
    else:
        assert first.choices[0].finish_reason == "tool_calls"
        function = first.choices[0].message.tool_calls[0].function
        name, arguments = function.name, function.arguments
    assert (name, arguments) == ("get_weather", '{"city": "Paris"}')
    messages: list[Any] = [
        {"role": "user", "content": "TOOLS weather?"},
        {"role": "tool", "tool_call_id": "call_abc123", "content": "sunny"},
    ]
    second = client.chat.completions.create(model="gpt-4o-mini", messages=messages, tools=TOOLS)
    assert second.choices[0].message.content == WEATHER_TEXT


def test_logprobs(client: openai.OpenAI) -> None:
    content = ask(client, "hi", logprobs=True, top_logprobs=3).choices[0].logprobs.content
    assert "".join(entry.token for entry in content) == DEFAULT_TEXT
    assert all(len(entry.top_logprobs) == 3 for entry in content)
    assert all(entry.top_logprobs[0].logprob == entry.logprob <= 0 for entry in content)


def test_length(client: openai.OpenAI) -> None:
    reply = ask(client, "LONG 50", max_tokens=3)
    assert (reply.choices[0].message.content, reply.choices[0].finish_reason) == (
        "word0 word1 word2",
        "length",
    )


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("ERR429", openai.RateLimitError),
        ("ERR500", openai.InternalServerError),
        ("ERR401", openai.AuthenticationError),
        ("DISCONNECT", openai.APIConnectionError),
    ],
)
def test_errors(server: OpenAIServer, client: openai.OpenAI, text: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        ask(client, text)
    assert not server.calls[0].complete


def test_unknown_model(server: OpenAIServer, client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="no-such-model", messages=[{"role": "user", "content": "x"}])
    assert server.answered == []


@pytest.mark.parametrize("marker", ["DISCONNECT", "STREAMERR"])
def test_broken_stream(server: OpenAIServer, client: openai.OpenAI, marker: str) -> None:
    received: list[str] = []

    def read() -> None:
        for chunk in ask(client, marker, stream=True):
            received.append(chunk.choices[0].delta.content or "")

    with pytest.raises(openai.APIError):
        read()
    assert DEFAULT_TEXT.startswith("".join(received))
    assert 0 < len("".join(received)) < len(DEFAULT_TEXT)
    assert not server.calls[0].complete


def test_flaky_recovers(server: OpenAIServer, client: openai.OpenAI) -> None:
    reply = ask(client.with_options(max_retries=2), "FLAKY 1 ECHO later")
    assert reply.choices[0].message.content == "later"
    assert [call.status for call in server.calls] == [503, 200]


def test_concurrent_calls_get_their_own_answers(server: OpenAIServer, client: openai.OpenAI) -> None:
    words = [f"w{i}" for i in range(24)]
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda word: ask(client, f"SLEEP 0.01 ECHO {word}"), words))
    assert [reply.choices[0].message.content for reply in replies] == words
    assert sorted(server.user_texts()) == sorted(f"SLEEP 0.01 ECHO {word}" for word in words)


@pytest.mark.parametrize("stream", [False, True])
def test_legacy_completion(server: OpenAIServer, client: openai.OpenAI, stream: bool) -> None:
    reply: Any = client.completions.create(
        model="gpt-3.5-turbo-instruct", prompt="ECHO abc", logprobs=2, stream=stream
    )
    chunks = list(reply) if stream else [reply]
    assert "".join(chunk.choices[0].text for chunk in chunks) == "abc"
    assert chunks[0].choices[0].logprobs.tokens == ["abc"]
    assert len(chunks[0].choices[0].logprobs.top_logprobs[0]) == 2
    assert server.answered[0].response_id == chunks[0].id


def test_responses(server: OpenAIServer, client: openai.OpenAI) -> None:
    reply = client.responses.create(model="gpt-4o-mini", input="What is OpenTelemetry?")
    assert reply.output_text == DEFAULT_TEXT
    assert reply.usage is not None
    assert reply.usage.input_tokens_details.cached_tokens == 4
    assert server.answered[0].response_id == reply.id


def test_responses_stream(client: openai.OpenAI) -> None:
    with client.responses.stream(model="gpt-4o-mini", input="EMOJI") as stream:
        text = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
        final: Any = stream.get_final_response()
    assert text == final.output_text == EMOJI_TEXT


def test_embeddings(server: OpenAIServer, client: openai.OpenAI) -> None:
    reply = client.embeddings.create(model="text-embedding-3-small", input=["a", "b"])
    assert len(reply.data) == 2
    assert len(reply.data[0].embedding) == 8
    assert server.answered == []


def test_nothing_is_left_behind() -> None:
    before = set(threading.enumerate())
    with OpenAIServer() as server, openai.OpenAI(base_url=server.base_url, api_key="test") as client:
        ask(client, "hi")
    assert set(threading.enumerate()) <= before
    with pytest.raises(openai.APIConnectionError):
        ask(openai.OpenAI(base_url=server.base_url, api_key="test", max_retries=0), "hi")
