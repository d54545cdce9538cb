"""Every kind of part in every provider's form, and the older forms of the conventions, as documented."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from msgspec.structs import replace

from otel_arthur.genai.call import LLMCall, MediaPart, ReasoningPart, TextPart, ToolCallPart, ToolResultPart
from otel_arthur.genai.json_text import parse_json
from otel_arthur.genai.messages.content.parts import parts_of
from otel_arthur.genai.messages.finish_reasons import finish_reason_of
from otel_arthur.genai.messages.message import input_messages, message_of, role_of
from otel_arthur.genai.reading import is_candidate, read
from otel_arthur.genai.span import EventView, SpanView

CALL = ToolCallPart("c1", "get_weather", {"city": "Paris"})


def view(own: dict[str, Any], events: list[EventView] | None = None, scope: str = "") -> SpanView:
    return SpanView("a" * 32, "b" * 16, None, "chat m", scope, "", 0, 1, 0, "", own, events or [], {}, 0)


def call_of(own: dict[str, Any], events: list[EventView] | None = None, scope: str = "") -> LLMCall:
    call = read(view(own, events, scope)).call
    assert call is not None
    return call


@pytest.mark.parametrize(
    ("part", "expected"),
    [
        ({"type": "text", "content": "hi"}, TextPart("hi")),
        ({"type": "input_text", "text": "hi"}, TextPart("hi")),
        ({"text": "hi"}, TextPart("hi")),
        ({"type": "refusal", "refusal": "I won't"}, TextPart("I won't")),
        ({"type": "reasoning", "content": "hm"}, ReasoningPart("hm")),
        ({"type": "thinking", "thinking": "hm", "signature": "s"}, ReasoningPart("hm")),
        ({"reasoningContent": {"reasoningText": {"text": "hm"}}}, ReasoningPart("hm")),
        ({"text": "hm", "thought": True}, ReasoningPart("hm")),
        ({"type": "tool_call", "id": "c1", "name": "get_weather", "arguments": {"city": "Paris"}}, CALL),
        ({"type": "tool_call", "id": "c1", "name": "get_weather", "arguments": '{"city": "Paris"}'}, CALL),
        ({"type": "tool_use", "id": "c1", "name": "get_weather", "input": {"city": "Paris"}}, CALL),
        (
            {"type": "tool-call", "toolCallId": "c1", "toolName": "get_weather", "args": {"city": "Paris"}},
            CALL,
        ),
        ({"toolUse": {"toolUseId": "c1", "name": "get_weather", "input": {"city": "Paris"}}}, CALL),
        ({"functionCall": {"id": "c1", "name": "get_weather", "args": {"city": "Paris"}}}, CALL),
        (
            {
                "type": "function_call",
                "id": "fc_1",
                "call_id": "c1",
                "name": "get_weather",
                "arguments": '{"city":"Paris"}',
            },
            CALL,
        ),
        ({"type": "tool_call_response", "id": "c1", "response": "sunny"}, ToolResultPart("c1", "sunny")),
        (
            {"type": "tool_call_response", "response": '[{"type": "text", "text": "sun"}, {"text": "ny"}]'},
            ToolResultPart(None, "sunny"),
        ),
        (
            {"type": "tool_call_response", "response": '[{"type": "text", "text": "a", "score": 1}]'},
            ToolResultPart(None, '[{"type": "text", "text": "a", "score": 1}]'),
        ),
        (
            {"type": "tool_result", "tool_use_id": "c1", "content": [{"type": "text", "text": "sunny"}]},
            ToolResultPart("c1", "sunny"),
        ),
        (
            {"toolResult": {"toolUseId": "c1", "content": [{"text": "sunny"}]}},
            ToolResultPart("c1", "sunny"),
        ),
        (
            {"type": "tool-result", "toolCallId": "c1", "output": {"type": "text", "value": "sunny"}},
            ToolResultPart("c1", "sunny"),
        ),
        (
            {"type": "tool_call_response", "id": "c1", "response": {"t": 21}},
            ToolResultPart("c1", '{"t":21}'),
        ),
        (
            {"type": "uri", "modality": "image", "uri": "https://x/y.png"},
            MediaPart("image", "https://x/y.png"),
        ),
        ({"type": "image_url", "image_url": {"url": "https://x/y"}}, MediaPart("image", "https://x/y")),
        ({"type": "file", "file": {"file_id": "file-1"}}, MediaPart("file", "file-1")),
        ({"fileData": {"fileUri": "gs://b/f", "mimeType": "video/mp4"}}, MediaPart("video", "gs://b/f")),
        (["not a part"], TextPart('["not a part"]')),
        (7, TextPart("7")),
    ],
)
def test_parts(part: Any, expected: Any) -> None:
    assert parts_of([part]) == [expected]


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "data:image/png;base64," + "QUJD" * 1000}},
        {"type": "blob", "modality": "image", "mime_type": "image/png", "content": "QUJD" * 1000},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "QUJD" * 1000}},
        {"inlineData": {"mimeType": "image/png", "data": "QUJD" * 1000}},
        {"type": "uri", "modality": "image", "uri": "data:image/png;base64," + "QUJD" * 1000},
    ],
)
def test_media_is_named_and_not_inlined(part: Any) -> None:
    [media] = parts_of([part])
    assert media == MediaPart("image", "image/png, 3000 bytes")


def test_openai_messages() -> None:
    messages = input_messages(
        [
            {"role": "developer", "content": "be brief"},
            {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
            {
                "role": "assistant",
                "content": None,
                "tool_calls": [
                    {"id": "c1", "function": {"name": "get_weather", "arguments": '{"city":"Paris"}'}}
                ],
            },
            {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
            {"role": "assistant", "content": "", "refusal": "no"},
        ]
    )
    assert [message.role for message in messages] == ["system", "user", "assistant", "tool", "assistant"]
    assert [message.text for message in messages] == ["be brief", "ab", "", "sunny", "no"]
    assert messages[2].tool_calls == (CALL,)
    assert messages[3].parts == (ToolResultPart("c1", "sunny"),)


def test_langchain_messages() -> None:
    message = message_of(
        {
            "lc": 1,
            "type": "constructor",
            "id": ["langchain", "schema", "messages", "AIMessage"],
            "kwargs": {
                "type": "ai",
                "content": [
                    {"type": "tool_use", "id": "c1", "name": "get_weather", "input": {"city": "Paris"}}
                ],
                "tool_calls": [{"id": "c1", "name": "get_weather", "args": {"city": "Paris"}}],
            },
        },
        "user",
    )
    assert (message.role, message.parts) == ("assistant", (CALL,))
    assert message_of({"type": "human", "data": {"content": "hi"}}, "assistant").role == "user"


def test_roles_and_reasons() -> None:
    assert [role_of(role, "") for role in ("tool-call", "tool-response")] == ["assistant", "tool"]
    assert [role_of(role, "user") for role in ("human", "AI", "model", "developer", "", None, "critic")] == [
        *("user", "assistant", "assistant", "system", "user", "user", "critic")
    ]
    given = (
        "stop",
        "tool_call",
        "tool_use",
        "end_turn",
        "MAX_TOKENS",
        "FinishReason.STOP",
        "SAFETY",
        "error",
        "",
    )
    assert [finish_reason_of(reason) for reason in given] == [
        *("stop", "tool_calls", "tool_calls", "stop", "length", "stop", "content_filter", None, None)
    ]


CHAT = {"gen_ai.operation.name": "chat", "gen_ai.system": "openai", "gen_ai.request.model": "m"}


def test_one_event_a_message() -> None:
    """Semantic conventions 1.27 to 1.36, as span events."""
    function = {"name": "get_weather", "arguments": '{"city":"Paris"}'}
    tools = orjson.dumps([{"id": "c1", "type": "function", "function": function}]).decode()
    answer = '{"content":"It is."}'
    events = [
        EventView("gen_ai.system.message", 1, {"content": "be brief"}),
        EventView("gen_ai.user.message", 2, {"content": "weather?"}),
        EventView("gen_ai.assistant.message", 3, {"tool_calls": tools}),
        EventView("gen_ai.tool.message", 4, {"content": "sunny", "id": "c1"}),
        EventView("gen_ai.choice", 5, {"index": 0, "finish_reason": "stop", "message": answer}),
    ]
    call = call_of(CHAT, events)
    assert [message.role for message in call.messages] == ["system", "user", "assistant", "tool"]
    assert call.messages[2].tool_calls == (CALL,)
    assert call.messages[3].parts == (ToolResultPart("c1", "sunny"),)
    assert (call.choices[0].message.text, call.choices[0].finish_reason) == ("It is.", "stop")


def test_log_events_of_the_former_official_packages() -> None:
    """openai-v2: bodies of log records, joined by span id."""
    events = [
        EventView("gen_ai.user.message", 1, {"gen_ai.system": "openai"}, {"content": "hi"}),
        EventView(
            "gen_ai.choice",
            2,
            {"gen_ai.system": "openai"},
            {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}},
        ),
    ]
    call = call_of(CHAT, events)
    assert [message.text for message in call.messages] == ["hi"]
    assert call.choices[0].message.text == "hello"


def test_events_with_their_content_as_json() -> None:
    """Azure AI Inference."""
    events = [
        EventView("gen_ai.user.message", 1, {"gen_ai.event.content": '{"role":"user","content":"hi"}'}),
        EventView(
            "gen_ai.choice",
            2,
            {"gen_ai.event.content": '{"message":{"content":"yo"},"finish_reason":"stop"}'},
        ),
    ]
    call = call_of(CHAT, events)
    assert (call.messages[0].text, call.choices[0].message.text) == ("hi", "yo")


def test_whole_prompts_and_completions() -> None:
    prompt, completion = '[{"role":"user","content":"hi"}]', '[{"role":"assistant","content":"yo"}]'
    in_events = [
        EventView("gen_ai.content.prompt", 1, {"gen_ai.prompt": prompt}),
        EventView("gen_ai.content.completion", 2, {"gen_ai.completion": completion}),
    ]
    for call in (
        call_of(CHAT, in_events),
        call_of({**CHAT, "gen_ai.prompt": prompt, "gen_ai.completion": completion}),
    ):
        assert (call.messages[0].text, call.choices[0].message.text) == ("hi", "yo")


def test_native_structures_are_as_good_as_json() -> None:
    messages = ({"role": "user", "parts": ({"type": "text", "content": "hi"},)},)
    answers = [{"role": "assistant", "parts": [{"type": "text", "content": "yo"}], "finish_reason": "stop"}]
    call = call_of({**CHAT, "gen_ai.input.messages": messages, "gen_ai.output.messages": answers})
    assert (call.messages[0].text, call.choices[0].message.text) == ("hi", "yo")


def test_cut_json_is_salvaged_and_flagged() -> None:
    text = orjson.dumps(
        [{"role": "user", "parts": [{"type": "text", "content": "a long question"}]}]
    ).decode()
    call = call_of({**CHAT, "gen_ai.input.messages": text[:60]})
    assert call.truncated
    assert call.messages[0].role == "user"
    assert "a long question".startswith(call.messages[0].text)


@pytest.mark.parametrize(
    "prose", ["[INST] hello", "[1] see the footnote", "{curly} words", "[link](url), then"]
)
def test_prose_that_begins_with_a_bracket_is_prose(prose: str) -> None:
    assert parse_json(prose) == (prose, False)


@pytest.mark.parametrize(
    "own",
    [
        {"gen_ai.operation.name": "invoke_agent", "gen_ai.input.messages": "[]"},
        {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "t"},
        {"gen_ai.operation.name": "embeddings", "gen_ai.request.model": "m"},
        {"gen_ai.operation.name": "retrieval"},
        {"openinference.span.kind": "CHAIN", "llm.input_messages.0.message.content": "hi"},
        {"openinference.span.kind": "EMBEDDING"},
        {"llm.request.type": "embedding", "gen_ai.prompt.0.content": "hi"},
        {"traceloop.span.kind": "workflow", "gen_ai.completion.0.content": "hi"},
        {"ai.operationId": "ai.generateText", "ai.response.text": "hi"},
        {"ai.operationId": "ai.toolCall"},
        {"langfuse.observation.type": "span"},
        {"langsmith.span.kind": "chain", "gen_ai.prompt": "{}"},
        {"mlflow.spanType": '"AGENT"'},
        {"gen_ai.request.model": "m", "gen_ai.agent.name": "a", "gen_ai.usage.output_tokens": 7},
        {"gen_ai.prompt.variable.q": "what", "gen_ai.operation.name": "invoke_workflow"},
        {"http.request.method": "POST", "url.full": "https://api.openai.com/v1/chat/completions"},
    ],
)
def test_what_is_no_call(own: dict[str, Any]) -> None:
    assert read(view(own)).call is None


def test_a_limit_that_dropped_the_markers() -> None:
    own = {f"gen_ai.prompt.{n}.content": "x" for n in range(83, 150)} | {"gen_ai.completion.0.content": "y"}
    assert is_candidate(own)
    call = read(replace(view(own), dropped_attributes=90)).call
    assert call is not None
    assert call.truncated
