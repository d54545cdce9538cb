"""The transcript is LangChain's own: compared with the real `get_buffer_string`."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import (
    AIMessage,
    BaseMessage,
    ChatMessage,
    HumanMessage,
    SystemMessage,
    ToolMessage,
    get_buffer_string,
)

from otel_arthur.genai.call import MediaPart, Message, ReasoningPart, TextPart, ToolCallPart, ToolResultPart
from otel_arthur.inference.transcript import (
    last_user_text,
    messages_json,
    said,
    tool_calls_json,
    transcript,
)

WORDS = st.text(max_size=40)
ARGUMENTS = st.dictionaries(
    st.text(min_size=1, max_size=8),
    st.one_of(st.integers(), st.booleans(), st.none(), WORDS, st.lists(st.integers(), max_size=3)),
    max_size=3,
)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[BaseMessage, Message]:
    """A LangChain message, and the same message in our normal form."""
    kind = draw(st.sampled_from(["system", "user", "assistant", "tool", "critic"]))
    words = draw(WORDS)
    if kind == "system":
        return SystemMessage(words), Message("system", (TextPart(words),))
    if kind == "user":
        return HumanMessage(words), Message("user", (TextPart(words),))
    if kind == "tool":
        return ToolMessage(words, tool_call_id="t1"), Message("tool", (ToolResultPart("t1", words),))
    if kind == "critic":
        return ChatMessage(role="critic", content=words), Message("critic", (TextPart(words),))
    calls = [
        {"name": name, "args": arguments, "id": f"call_{number}", "type": "tool_call"}
        for number, (name, arguments) in enumerate(
            draw(st.lists(st.tuples(st.text(min_size=1, max_size=8), ARGUMENTS), max_size=2))
        )
    ]
    parts = tuple(ToolCallPart(call["id"], call["name"], call["args"]) for call in calls)
    return AIMessage(words, tool_calls=calls), Message("assistant", (TextPart(words), *parts))


@given(st.lists(pairs(), max_size=6))
def test_the_transcript_equals_get_buffer_string(messages: list[tuple[BaseMessage, Message]]) -> None:
    theirs = get_buffer_string([message for message, _ in messages])

    assert transcript([message for _, message in messages]) == theirs


def test_only_text_of_a_multimodal_message_is_in_the_transcript() -> None:
    theirs = get_buffer_string(
        [
            HumanMessage(
                [
                    {"type": "text", "text": "what is "},
                    {"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}},
                    {"type": "text", "text": "this?"},
                ]
            )
        ]
    )
    ours = Message(
        "user",
        (TextPart("what is "), MediaPart("image", "https://example.com/cat.png"), TextPart("this?")),
    )

    assert transcript([ours]) == theirs


def test_reasoning_is_no_part_of_the_text() -> None:
    assert Message("assistant", (ReasoningPart("hmm"), TextPart("yes"))).text == "yes"


def test_system_and_last_user_texts_are_found_wherever_they_stand() -> None:
    messages = [
        Message("system", (TextPart("be brief"),)),
        Message("user", (TextPart("one"),)),
        Message("system", (TextPart("be kind"),)),
        Message("user", (TextPart("two"),)),
        Message("assistant", (TextPart("three"),)),
    ]

    assert said(messages)[1:] == ("be brief\nbe kind", "two")
    assert last_user_text(messages) == "two"
    assert said(messages[1:2])[1] is None
    assert last_user_text([]) is None


def test_tool_calls_and_messages_as_json_text() -> None:
    message = Message("assistant", (ToolCallPart("c1", "get_weather", {"city": "Zürich"}),))

    assert tool_calls_json(message) == '[{"id":"c1","name":"get_weather","arguments":{"city":"Zürich"}}]'
    assert tool_calls_json(Message("assistant", (TextPart("hi"),))) is None
    assert messages_json([Message("user", (TextPart("hi"),))]) == '[{"role":"user","content":"hi"}]'
