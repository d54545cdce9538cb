"""What a tool or a provider said is no word of the model, in an answer and in the history alike."""

from __future__ import annotations

import json
from typing import Any

import pytest

from otel_arthur.genai.call import LLMCall, MediaPart, ReasoningPart, TextPart, ToolCallPart, ToolResultPart
from otel_arthur.genai.messages.content.parts import parts_of
from otel_arthur.genai.messages.message import input_messages, message_of
from otel_arthur.genai.reading import read
from otel_arthur.genai.span import SpanView
from otel_arthur.inference.transcript import last_user_text, tool_calls_json, transcript

OF_PROVIDERS: list[dict[str, Any]] = [
    {
        "type": "web_search_tool_result",
        "tool_use_id": "s1",
        "content": [{"type": "web_search_result", "url": "https://x", "encrypted_content": "SECRET"}],
    },
    {"type": "code_execution_tool_result", "tool_use_id": "s2", "content": {"stdout": "SECRET"}},
    {"type": "web_search_tool_result", "text": '{"content": "SECRET"}'},
    {"type": "mcp_tool_result", "tool_use_id": "s3", "content": [{"type": "text", "text": "SECRET"}]},
    {"type": "server_tool_call_response", "id": "s4", "server_tool_call_response": {"output": "SECRET"}},
    {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "SECRET"}},
    {"type": "builtin-tool-return", "tool_name": "web_search", "content": "SECRET"},
    {"type": "mcp_call", "id": "m", "name": "echo", "arguments": "{}", "output": "SECRET"},
    {"type": "file_search_call", "id": "f", "status": "completed", "results": [{"text": "SECRET"}]},
    {"type": "redacted_thinking", "data": "SECRET"},
    {"type": "reasoning", "id": "rs", "summary": [], "encrypted_content": "SECRET"},
    {"type": "signature", "signature": "SECRET"},
    {"thoughtSignature": "SECRET"},
    {"cachePoint": {"type": "default"}},
    {"type": "cache-point", "ttl": "SECRET"},
    {"type": "image_generation_call", "id": "i", "status": "completed", "result": "U0VDUkVU" * 99},
    {"type": "what_comes_next", "payload": "SECRET"},
    {},
]


@pytest.mark.parametrize("part", OF_PROVIDERS, ids=lambda part: str(next(iter(part.values()), "empty"))[:30])
def test_what_a_provider_said_is_no_word_of_the_answer_nor_of_the_history(part: dict[str, Any]) -> None:
    said: dict[str, Any] = {
        "role": "assistant",
        "content": [{"type": "text", "text": "So "}, part, {"type": "text", "text": "be it."}],
    }
    assert message_of(said, "assistant").text == "So be it."
    history = input_messages([{"role": "user", "content": "Hi"}, said, {"role": "user", "content": [part]}])
    assert "SECRET" not in transcript(history[:2])
    assert [message.text for message in history[:2]] == ["Hi", "So be it."]
    assert "SECRET" not in str([message.text for message in history if message.role != "tool"])


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        (
            {"type": "server_tool_call", "id": "s", "name": "run", "server_tool_call": {"code": "6*7"}},
            ToolCallPart("s", "run", {"code": "6*7"}, True),
        ),
        (
            {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "q"}},
            ToolCallPart("s", "web_search", {"query": "q"}, True),
        ),
        (
            {"type": "code_interpreter_call", "id": "s", "code": "1", "outputs": [{"logs": "1"}]},
            ToolCallPart("s", "code_interpreter", {"code": "1"}, True),
        ),
        ({"executableCode": {"code": "1"}}, ToolCallPart(None, "executableCode", {"code": "1"}, True)),
        (
            {"type": "custom_tool_call", "call_id": "c", "id": "x", "name": "sql", "input": "select 1"},
            ToolCallPart("c", "sql", "select 1"),
        ),
        (
            {"id": "c", "type": "custom", "custom": {"name": "sql", "input": "select 1"}},
            ToolCallPart("c", "sql", "select 1"),
        ),
        (
            {"toolRequest": {"name": "find", "ref": "c", "input": {"k": 1}}},
            ToolCallPart("c", "find", {"k": 1}),
        ),
        (
            {"tool_call": {"tool_name": "find", "arguments": {"k": 1}, "id": "c"}},
            ToolCallPart("c", "find", {"k": 1}),
        ),
        (
            {"block_type": "tool_call", "tool_call_id": "c", "tool_name": "find", "tool_kwargs": '{"k": 1}'},
            ToolCallPart("c", "find", {"k": 1}),
        ),
        (
            {"tool_call_result": {"result": "ok", "origin": {"tool_name": "f", "id": "c"}, "error": False}},
            ToolResultPart("c", "ok"),
        ),
        ({"toolResponse": {"name": "f", "ref": "c", "output": {"a": 1}}}, ToolResultPart("c", '{"a":1}')),
        ({"type": "custom_tool_call_output", "call_id": "c", "output": "ok"}, ToolResultPart("c", "ok")),
        ({"type": "output_audio", "transcript": "Spoken.", "data": "QUJD"}, TextPart("Spoken.")),
        ({"type": "input_audio", "input_audio": {"data": "QUJD", "transcript": "Said."}}, TextPart("Said.")),
        ({"type": "output_image", "b64_json": "QUJD", "format": "png"}, MediaPart("image", "png, 3 bytes")),
        ({"guardContent": {"text": {"text": "Guarded."}}}, TextPart("Guarded.")),
        ({"citationsContent": {"content": [{"text": "Cited."}], "citations": []}}, TextPart("Cited.")),
    ],
)
def test_parts_by_providers(part: Any, expected: Any) -> None:
    assert parts_of([part]) == [expected]


def test_a_provider_s_call_says_so_in_the_tool_calls() -> None:
    part: dict[str, Any] = {
        "type": "server_tool_call",
        "id": "s",
        "name": "run",
        "server_tool_call": {"code": "1"},
    }
    assert json.loads(tool_calls_json(message_of({"role": "assistant", "parts": [part]}, "")) or "") == [
        {"id": "s", "name": "run", "arguments": {"code": "1"}, "type": "server_tool_call"}
    ]


def test_results_and_words_of_one_message_come_apart_a_result_a_line() -> None:
    messages = input_messages(
        [
            {"role": "user", "content": "Tide and wind?"},
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": "a",
                        "content": [{"type": "text", "text": "rising"}],
                    },
                    {"type": "tool_result", "tool_use_id": "b", "content": "westerly"},
                    {"cachePoint": {"type": "default"}},
                    {"type": "text", "text": "Well?"},
                ],
            },
        ]
    )
    assert transcript(messages) == "Human: Tide and wind?\nTool: rising\nTool: westerly\nHuman: Well?"
    assert last_user_text(messages) == "Well?"


def test_the_exact_form_takes_results_apart_as_well() -> None:
    results = [{"type": "tool_call_response", "id": str(n), "response": f"r{n}"} for n in range(3)]
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "m",
        "gen_ai.input.messages": json.dumps([{"role": "tool", "parts": results}]),
        "gen_ai.output.messages": json.dumps(
            [{"role": "assistant", "parts": [{"type": "text", "content": "x"}]}]
        ),
    }
    assert transcript(_call(attributes).messages) == "Tool: r0\nTool: r1\nTool: r2"


def test_one_result_of_several_texts_is_one_line() -> None:
    [message] = input_messages(
        [
            {
                "role": "tool",
                "tool_call_id": "a",
                "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
            }
        ]
    )
    assert message.parts == (ToolResultPart("a", "ab"),)


CALL: dict[str, Any] = {"id": "c1", "name": "find", "args": {"k": 1}}
ITEM = {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "find", "arguments": '{"k": 1}'}
USE = {"type": "tool_use", "id": "c1", "name": "find", "input": {"k": 1}}


@pytest.mark.parametrize(
    "message",
    [
        {"content": [ITEM], "tool_calls": [CALL]},
        {"content": [USE], "tool_calls": [CALL]},
        {"content": [{**USE, "input": {}}], "tool_calls": [CALL]},
        {
            "content": "",
            "tool_calls": [CALL],
            "additional_kwargs": {"tool_calls": [{"id": "c1", "function": CALL}]},
        },
        {"content": "", "additional_kwargs": {"tool_calls": [{"id": "c1", "function": CALL}]}},
        {"content": "", "additional_kwargs": {"function_call": CALL}, "tool_calls": [CALL]},
        {"parts": [{"type": "text", "content": json.dumps(ITEM)}, {"type": "tool_call", **CALL}]},
        {"parts": [{"type": "text", "content": json.dumps(USE)}, {"type": "tool_call", **CALL}]},
        {"content": [{"functionCall": {"name": "find", "args": {"k": 1}}}], "tool_calls": [CALL]},
        {"content": json.dumps([{"function": CALL, "id": "c1", "type": "function"}])},
    ],
)
def test_a_call_written_twice_is_one_and_no_text(message: dict[str, Any]) -> None:
    read = message_of({"role": "assistant", **message}, "")
    assert [(call.name, call.arguments) for call in read.tool_calls] == [("find", {"k": 1})]
    assert read.text == ""


def test_equal_calls_of_their_own_ids_are_two() -> None:
    calls = [{**CALL, "id": "c1"}, {**CALL, "id": "c2"}]
    assert len(message_of({"role": "assistant", "tool_calls": calls}, "").tool_calls) == 2
    twice = {"role": "assistant", "content": [{"functionCall": {"name": "f", "args": {}}}] * 2}
    assert len(message_of(twice, "").tool_calls) == 2


def test_thoughts_that_a_writer_turned_into_text_are_thoughts() -> None:
    thought = {"type": "thinking", "thinking": "hm", "signature": "s"}
    message = message_of(
        {"role": "assistant", "parts": [{"type": "text", "content": json.dumps(thought)}]}, "assistant"
    )
    assert message.parts == (ReasoningPart("hm"),)


@pytest.mark.parametrize(
    "words", ['{"type": "apple", "n": 1}', '{"berries": 12}', '{"type": "function_call"}', "{"]
)
def test_an_answer_in_braces_is_an_answer(words: str) -> None:
    said = {"role": "assistant", "parts": [{"type": "text", "content": words}], "finish_reason": "stop"}
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "m",
        "gen_ai.output.messages": json.dumps([said]),
    }
    assert [choice.message.text for choice in _call(attributes).choices] == [words]


def test_definitions_of_tools_are_no_messages() -> None:
    described = {"name": "find", "description": "Finds.", "parameters": {"type": "object", "properties": {}}}
    messages = input_messages(
        [
            {"role": "user", "content": "Hi"},
            {"role": "tool", "content": {"type": "function", "function": described}},
        ]
    )
    assert transcript(messages) == "Human: Hi"


def test_roles_in_one_text_are_roles() -> None:
    messages = input_messages(
        "system: Sort seeds.\nuser: What grows?\nIn May?\nassistant: Beans.\nuser: More?"
    )
    assert (
        transcript(messages) == "System: Sort seeds.\nHuman: What grows?\nIn May?\nAI: Beans.\nHuman: More?"
    )
    assert transcript(input_messages("note: a\nuser: b")) == "Human: note: a\nuser: b"


def test_messages_that_are_texts_of_json() -> None:
    told = [
        json.dumps({"role": "system", "content": "be nice"}),
        json.dumps({"role": "user", "content": "hi"}),
    ]
    for value in (told, json.dumps([json.loads(item) for item in told])):
        assert transcript(input_messages(value)) == "System: be nice\nHuman: hi"


@pytest.mark.parametrize(
    ("message", "words", "parts"),
    [
        ({"content": None, "audio": {"id": "a", "transcript": "Spoken.", "data": "QUJD"}}, "Spoken.", 1),
        ({"content": "", "images": [{"type": "image_url", "image_url": {"url": "https://x/y"}}]}, "", 1),
        ({"content": None, "refusal": "I won't."}, "I won't.", 1),
        ({"content": "Yes.", "reasoning": "hm"}, "Yes.", 2),
    ],
)
def test_what_stands_beside_the_content(message: dict[str, Any], words: str, parts: int) -> None:
    read = message_of({"role": "assistant", **message}, "")
    assert (read.text, len(read.parts)) == (words, parts)


def _call(attributes: dict[str, Any]) -> LLMCall:
    view = SpanView("a" * 32, "b" * 16, None, "chat m", "", "", 1, 2, 0, "", attributes, [], {}, 0)
    call = read(view).call
    assert call is not None
    return call
