"""Reading the conventions' own form in one go gives what the reader of any form gives, or nothing."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_arthur.genai.messages import schema_form
from otel_arthur.genai.messages.message import input_messages, output_choices

_words = st.text(max_size=12)
_ids = st.none() | st.text(max_size=5)
_arguments = st.none() | st.text(max_size=8) | st.dictionaries(st.text(max_size=4), st.integers() | _words)
_parts = st.one_of(
    st.fixed_dictionaries({"type": st.just("text"), "content": _words}, optional={"text": _words}),
    st.fixed_dictionaries(
        {"type": st.just("reasoning"), "content": _words},
        optional={"reasoningText": st.just({"text": "hm"}), "thinking": _words},
    ),
    st.fixed_dictionaries(
        {"type": st.just("tool_call"), "name": _words},
        optional={"id": _ids, "arguments": _arguments, "function": st.just({"name": "other"})},
    ),
    st.fixed_dictionaries(
        {"type": st.just("tool_call_response"), "response": _words | _arguments},
        optional={"id": _ids, "result": _words},
    ),
    st.fixed_dictionaries({"type": st.just("uri"), "uri": _words, "modality": st.just("image")}),
    _words,
)
_messages = st.lists(
    st.fixed_dictionaries(
        {"role": st.sampled_from(["system", "user", "assistant", "tool", "human", ""])},
        optional={
            "parts": st.lists(_parts, max_size=3),
            "content": _words,
            "finish_reason": st.none() | st.sampled_from(["stop", "tool_call", "STOP", "error", ""]),
            "finishReason": st.just("length"),
            "tool_calls": st.just([{"id": "1", "function": {"name": "f", "arguments": "{}"}}]),
            "reasoning_content": _words,
            "refusal": _words,
            "toolCalls": st.just([{"id": "1", "name": "f"}]),
            "function_call": st.just({"name": "f", "arguments": "{}"}),
            "name": _words,
        },
    )
    | _words,
    max_size=4,
)
_schema_parts = st.one_of(
    st.fixed_dictionaries({"type": st.just("text"), "content": _words}, optional={"other": _words}),
    st.fixed_dictionaries({"type": st.just("reasoning"), "content": _words}),
    st.fixed_dictionaries(
        {"type": st.just("tool_call"), "name": _words}, optional={"id": _ids, "arguments": _arguments}
    ),
    st.fixed_dictionaries({"type": st.just("tool_call_response"), "response": _words, "id": _ids}),
)
_schema_messages = st.lists(
    st.fixed_dictionaries(
        {
            "role": st.sampled_from(["system", "user", "assistant", "tool"]),
            "parts": st.lists(_schema_parts, max_size=3),
        },
        optional={
            "finish_reason": st.none() | st.sampled_from(["stop", "tool_call", "STOP", "error", ""]),
            "refusal": _words,
            "toolCalls": st.just([{"id": "1", "name": "f"}]),
            "function_call": st.just({"name": "f", "arguments": "{}"}),
        },
    ),
    max_size=3,
)


@given(_messages | _schema_messages)
def test_what_is_read_is_what_the_general_reader_reads(messages: list[Any]) -> None:
    text = json.dumps(messages)
    read = schema_form.messages(text)
    assert read is None or read == input_messages(messages)
    choices = schema_form.choices(text)
    assert choices is None or choices == output_choices(messages)


@pytest.mark.parametrize(
    "message",
    [
        {"role": "user", "parts": [{"type": "text", "content": "a question"}]},
        {"role": "assistant", "parts": [{"type": "reasoning", "content": "hm"}], "finish_reason": "stop"},
        {
            "role": "assistant",
            "parts": [{"type": "tool_call", "id": "1", "name": "f", "arguments": {"a": 1}}],
        },
        {"role": "assistant", "parts": [{"type": "tool_call", "name": "f", "arguments": '{"a": 1}'}]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "1", "response": "sunny"}]},
        {"role": "user", "parts": [{"type": "text", "content": "ünï"}, {"type": "text", "content": "🙂"}]},
    ],
)
def test_the_schemas_form_needs_no_other_reader(message: dict[str, Any]) -> None:
    assert schema_form.messages(json.dumps([message])) == input_messages([message])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[",
        "no JSON",
        "{}",
        '[{"role": "user", "parts": [{"type": "text", "content": "cut of',
        '[{"role": "user", "parts": [{"type": "text", "content": "\\ud83d"}]}]',
        '[{"role": "user", "parts": [{"type": "text", "content": "\ud83d"}]}]',
        '[{"role": "assistant", "parts": [{"type": "tool_call", "name": "f", "arguments": '
        + "[" * 50_000
        + "]" * 50_000
        + "}]}]",
    ],
)
def test_anything_else_is_left_to_the_general_reader(text: str) -> None:
    assert schema_form.messages(text) is None


def test_values_that_are_no_text_are_left_to_the_general_reader() -> None:
    for value in (None, 5, [], {}, b"[]"):
        assert schema_form.messages(value) is None
        assert schema_form.choices(value) is None
