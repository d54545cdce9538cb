"""The demo's own count: what it reads off an answer is what the server answered."""

from __future__ import annotations

import json
from typing import Any

import pytest

from otel_arthur.demo.served_call import ServedCall, from_body, from_events
from tests.support.servers.providers.openai_answers import Answer
from tests.support.servers.providers.openai_wire import (
    chat_body,
    chat_events,
    completion_body,
    completion_events,
    responses_body,
    responses_events,
)

REQUEST = {"model": "m", "stream_options": {"include_usage": True}}
ANSWER = Answer(texts=("你好 🌍", "second one"))
ENDPOINTS: list[Any] = [
    ("chat/completions", chat_body, chat_events, ANSWER),
    ("completions", completion_body, completion_events, ANSWER),
    ("responses", responses_body, responses_events, Answer(texts=("only one",))),
]


def payloads(events: list[dict[str, Any]]) -> list[bytes]:
    return [json.dumps(event).encode() for event in events]


@pytest.mark.parametrize(("path", "body", "events", "answer"), ENDPOINTS, ids=[one[0] for one in ENDPOINTS])
def test_body_and_stream_say_the_same(path: str, body: Any, events: Any, answer: Answer) -> None:
    whole = from_body(path, REQUEST, 200, json.dumps(body(REQUEST, answer, "id-1")).encode())
    streamed = from_events(path, REQUEST, payloads(events(REQUEST, answer, "id-1")), complete=True)
    assert whole.texts == streamed.texts == answer.texts
    assert whole.response_id == streamed.response_id == "id-1"
    assert whole.answered
    assert streamed.answered
    assert (whole.streamed, streamed.streamed) == (False, True)


def test_an_error_in_the_stream_is_no_answer() -> None:
    begun = payloads(chat_events(REQUEST, ANSWER, "id-1"))[:2]
    assert not from_events("chat/completions", REQUEST, [*begun, b'{"error": {}}'], complete=True).answered


@pytest.mark.parametrize("body", [b"", b"[]", b"not json", b"{}", b'{"choices": null}'])
def test_odd_bodies_are_read(body: bytes) -> None:
    assert from_body("chat/completions", REQUEST, 200, body).texts == ()


def test_records_survive_json() -> None:
    call = ServedCall("chat/completions", "m", 200, streamed=True, response_id="id-1", texts=("a", "b"))
    assert ServedCall.from_json(json.loads(json.dumps(call.to_json()))) == call
