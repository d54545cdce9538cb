"""`LLMCall` to OpenInference: what the Engine reads, safe for its database, within the rules of privacy."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import orjson
import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from otel_arthur.engine.intake import span_of
from otel_arthur.engine.openinference.calls import attributes_of
from otel_arthur.engine.openinference.safe_values import LARGEST_COUNT, Value
from otel_arthur.engine.requests import request_of, span_in
from otel_arthur.genai.call import (
    Choice,
    LLMCall,
    MediaPart,
    Message,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
    Usage,
)
from otel_arthur.inference.privacy import TextRules
from otel_arthur.local.server import LocalArthur
from tests.genai.matrix.truth import Capture, captures, verdicts_of
from tests.support.spans.llm_calls import llm_call
from tests.support.waiting import PATIENCE

RULES = TextRules()


def attributes(call: LLMCall, **rules: Any) -> dict[str, Value]:
    return attributes_of(call, TextRules(**rules), Counter())


@pytest.fixture(scope="module")
def engine() -> Iterator[LocalArthur]:
    with LocalArthur() as arthur:
        yield arthur


def send(engine: LocalArthur, body: bytes) -> requests.Response:
    headers = {"Authorization": f"Bearer {engine.api_key}"}
    return requests.post(f"{engine.url}/api/v1/traces", data=body, headers=headers, timeout=PATIENCE)


def test_a_conversation_with_tools() -> None:
    call = llm_call(
        "What is the weather?",
        messages=(
            Message("system", (TextPart("Be brief."),)),
            Message("user", (TextPart("Weather in Paris and Rome?"), MediaPart("image", "https://a/b.png"))),
            Message("assistant", (ToolCallPart("c1", "weather", {"city": "Paris"}),)),
            Message("tool", (ToolResultPart("c1", "rain"), ToolResultPart("c2", "sun"))),
        ),
        choices=(Choice(Message("assistant", (ReasoningPart("hm"), TextPart("Rain and sun."))), "stop"),),
        usage=Usage(10, 5, 15, 4, 1, 2),
        provider="gcp.vertex_ai",
        request_model="gemini-3",
        temperature=0.5,
        conversation_id="thread-1",
        user_id="u1",
    )
    found = attributes(call)
    assert {key: value for key, value in found.items() if key.startswith("llm.input_messages")} == {
        "llm.input_messages.0.message.role": "system",
        "llm.input_messages.0.message.content": "Be brief.",
        "llm.input_messages.1.message.role": "user",
        "llm.input_messages.1.message.content": "Weather in Paris and Rome?",
        "llm.input_messages.1.message.contents.0.message_content.type": "image",
        "llm.input_messages.1.message.contents.0.message_content.image.image.url": "https://a/b.png",
        "llm.input_messages.2.message.role": "assistant",
        "llm.input_messages.2.message.tool_calls.0.tool_call.id": "c1",
        "llm.input_messages.2.message.tool_calls.0.tool_call.function.name": "weather",
        "llm.input_messages.2.message.tool_calls.0.tool_call.function.arguments": '{"city":"Paris"}',
        "llm.input_messages.3.message.role": "tool",
        "llm.input_messages.3.message.content": "rain",
        "llm.input_messages.3.message.tool_call_id": "c1",
        "llm.input_messages.4.message.role": "tool",
        "llm.input_messages.4.message.content": "sun",
        "llm.input_messages.4.message.tool_call_id": "c2",
    }
    assert found["llm.output_messages.0.message.content"] == found["output.value"] == "Rain and sun."
    assert found["llm.output_messages.0.message.contents.0.message_content.text"] == "hm"
    assert found["llm.finish_reason"] == "stop"
    assert (found["llm.provider"], found["llm.system"]) == ("google", "vertexai")
    assert orjson.loads(str(found["llm.invocation_parameters"])) == {"model": "gemini-3", "temperature": 0.5}
    counts = {key: value for key, value in found.items() if "token_count" in key}
    assert counts == {
        "llm.token_count.prompt": 10,
        "llm.token_count.completion": 5,
        "llm.token_count.total": 15,
        "llm.token_count.prompt_details.cache_read": 4,
        "llm.token_count.prompt_details.cache_write": 1,
        "llm.token_count.completion_details.reasoning": 2,
    }
    assert (found["session.id"], found["user.id"]) == ("thread-1", "u1")
    assert not any(key.startswith("gen_ai") for key in found)


def test_a_failed_call_without_counts_has_zeros() -> None:
    """The Engine estimates what is absent: a failed call was counted with 21 tokens."""
    error = {"error_type": "RateLimitError", "error_message": "slow down"}
    call = llm_call("hello", failed=True, choices=(), usage=Usage(), **error)
    found = attributes(call)
    (event,) = span_in(request_of(span_of(call, RULES, Counter()), None, None, Counter())).events
    said = {one.key: one.value.string_value for one in event.attributes}
    assert said == {"exception.type": "RateLimitError", "exception.message": "slow down"}
    assert [found[f"llm.token_count.{name}"] for name in ("prompt", "completion", "total")] == [0, 0, 0]


SECRET = "zq9 patient"


def secretive() -> LLMCall:
    return llm_call(
        SECRET,
        messages=(
            Message("user", (TextPart(SECRET), MediaPart("image", SECRET), ReasoningPart(SECRET))),
            Message("tool", (ToolResultPart("c", SECRET),)),
        ),
        choices=(Choice(Message("assistant", (ToolCallPart("c", "tool", {"q": SECRET}),)), "stop"),),
        extra={"note": SECRET, "notes": [SECRET], "tags": [SECRET]},
    )


def test_tags_are_a_list_of_their_own() -> None:
    for tags in (["a", "b"], "a, b"):
        found = attributes(llm_call(extra={"tags": tags, "plan": "gold"}))
        assert found["tag.tags"] == ["a", "b"]
        assert "tags" not in orjson.loads(str(found["metadata"]))
    assert "tag.tags" not in attributes(llm_call(extra={"tags": 7}))


def test_redaction_and_metadata_hold_for_every_text() -> None:
    redacted = attributes(secretive(), redact=lambda text: text.replace("zq9", "[x]"))
    assert "[x] patient" in str(redacted)
    assert "zq9" not in str(redacted)
    assert "zq9" not in str(attributes(secretive(), metadata_only=True))
    assert "zq9 pat" not in str(attributes(secretive(), max_length=5))


TEXTS = st.text(st.characters(exclude_categories=())) | st.sampled_from(
    ["a\x00b", '{"a/b": NaN}', '{"a": "\\u0000"}', "\ud800", "[Infinity]", '{"x/y": 1}']
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)


@given(
    text=TEXTS,
    arguments=VALUES,
    count=st.integers(),
    number=st.floats(),
    extra=st.dictionaries(TEXTS.filter(bool), VALUES, max_size=3),
    times=st.tuples(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1)),
)
def test_whatever_a_call_holds_the_engine_stores_it(
    engine: LocalArthur,
    text: str,
    arguments: Any,
    count: int,
    number: float,
    extra: dict[str, Any],
    times: tuple[int, int],
) -> None:
    call = llm_call(
        text,
        name=text,
        start_ns=times[0],
        end_ns=times[1],
        choices=(Choice(Message("assistant", (ToolCallPart(text, text, arguments),)), text),),
        usage=Usage(count, count, count),
        temperature=number,
        user_id=text,
        provider=text,
        extra=extra,
    )
    body = request_of(span_of(call, RULES, Counter()), "service", None, Counter()).SerializeToString()
    answer = send(engine, body)
    assert answer.status_code == 200, answer.text[:500]


def test_what_was_mended_is_counted() -> None:
    mended: Counter[str] = Counter()
    call = llm_call("a\x00b", usage=Usage(2**40, 1, 2), temperature=float("nan"), start_ns=9, end_ns=0)
    span = (
        request_of(span_of(call, RULES, mended), None, None, mended).resource_spans[0].scope_spans[0].spans[0]
    )
    assert span.end_time_unix_nano >= span.start_time_unix_nano > 0
    assert mended.pop("NUL") > 0
    assert mended == {"count": 1, "no number": 1, "time": 1}
    (count,) = [one.value.int_value for one in span.attributes if one.key == "llm.token_count.prompt"]
    assert count == LARGEST_COUNT


@pytest.mark.parametrize("capture", list(captures()), ids=str)
def test_every_recorded_call_is_one_llm_span_with_its_tokens(engine: LocalArthur, capture: Capture) -> None:
    calls = [
        verdict.reading.call
        for verdict in verdicts_of(capture)
        if verdict.reading.call is not None and verdict.decision in ("inference", "failed")
    ]
    name = f"{capture}"
    mended: Counter[str] = Counter()
    requests_ = [request_of(span_of(call, RULES, mended), name, None, mended) for call in calls]
    if not requests_:
        return
    assert send(engine, b"".join(one.SerializeToString() for one in requests_)).status_code == 200
    (task,) = [task for task, known in engine.traces.tasks(name) if known == name]
    count, spans = engine.traces.spans(task_ids=[task])
    assert count == len(calls)
    assert {span.kind for span in spans} == {"LLM"}
    by_id = {span.span_id: span for span in spans}
    for call in calls:
        span = by_id[call.span_id]
        if call.usage.input is not None:
            assert (span.prompt_tokens, span.completion_tokens) == (call.usage.input, call.usage.output or 0)
        if call.failed and call.usage.input is None:
            assert (span.prompt_tokens, span.completion_tokens) == (0, 0)
    assert mended == Counter()
