"""Answers beyond as many as a call may have: each is counted and named, whatever the form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from otel_arthur.configuration import Configuration
from otel_arthur.delivery import Delivery
from otel_arthur.genai.reading import MAX_CHOICES, read
from tests.genai.spans import CHAT, QUESTION, call_in, span
from tests.support.books import balance


def messages(count: int) -> Mapping[str, Any]:
    texts = ({"type": "text", "content": f"answer {number}"} for number in range(count))
    said = [{"role": "assistant", "parts": [text], "finish_reason": "stop"} for text in texts]
    return {**CHAT, "gen_ai.output.messages": json.dumps(said)}


def response(count: int) -> Mapping[str, Any]:
    said = [{"role": "assistant", "content": f"answer {number}"} for number in range(count)]
    choices = [{"message": message, "finish_reason": "stop"} for message in said]
    return {"openinference.span.kind": "LLM", "output.value": json.dumps({"choices": choices})}


def generations(count: int) -> Mapping[str, Any]:
    said = [{"text": f"answer {number}", "generation_info": {"a": 1}} for number in range(count)]
    return {"openinference.span.kind": "LLM", "output.value": json.dumps({"generations": [said]})}


def indexed(count: int) -> Mapping[str, Any]:
    said = {f"gen_ai.completion.{number}.content": f"answer {number}" for number in range(count)}
    return {**CHAT, **said, **dict.fromkeys([key.replace("content", "role") for key in said], "assistant")}


@pytest.mark.parametrize("form", [messages, response, generations, indexed])
@pytest.mark.parametrize("beyond", [0, 1])
def test_in_each_form(form: Any, beyond: int) -> None:
    reading = read(span({**QUESTION, **form(MAX_CHOICES + beyond)}))
    assert reading.call is not None
    assert len(reading.call.choices) == MAX_CHOICES
    assert reading.call.choices_left_out == beyond
    assert reading.reason == ("LLM call; answers beyond 10000 are left out: 1" if beyond else "LLM call")


def test_each_is_in_the_books(caplog: pytest.LogCaptureFixture) -> None:
    call = call_in(span({**QUESTION, **messages(100_000)}))
    delivery = Delivery(Configuration(endpoint="", spool_dir=None), metrics=False)
    submitted = delivery.submit([call])
    assert (submitted.spooled, submitted.skipped) == (10_000, {"more answers than a call may have": 90_000})
    counts = delivery.counts()
    assert counts.received == 100_000
    balance(counts)
    assert "more than 10,000 answers" in caplog.text
    delivery.shutdown(0.0)
