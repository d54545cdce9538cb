"""One call is one answer: items and pieces of an answer are never its choices, and n choices stay n."""

from __future__ import annotations

import json
from typing import Any

import pytest

from otel_arthur.genai.call import LLMCall, OtherPart, ReasoningPart, ToolCallPart
from otel_arthur.genai.messages.documents import response_choices
from otel_arthur.genai.reading import read
from otel_arthur.genai.span import SpanView

RESPONSES: list[dict[str, Any]] = [
    {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": "hm"}]},
    {"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {"query": "tides"}},
    {"type": "holo_deck_call", "id": "hd_1", "status": "completed", "scene": "a harbour"},
    {"type": "compaction", "encrypted_content": "RU5D"},
    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "At six."}]},
    {"type": "function_call", "id": "fc_1", "call_id": "c1", "name": "book", "arguments": '{"n": 1}'},
    {"type": "custom_tool_call", "id": "ct_1", "call_id": "c2", "name": "sql", "input": "select 1"},
]


def call_of(attributes: dict[str, Any], scope: str = "") -> LLMCall:
    view = SpanView("a" * 32, "b" * 16, None, "chat m", scope, "", 1, 2, 0, "", attributes, [], {}, 0)
    call = read(view).call
    assert call is not None
    return call


def conventions(messages: list[dict[str, Any]], **more: Any) -> LLMCall:
    return call_of(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": "m",
            "gen_ai.output.messages": json.dumps(messages),
            **more,
        }
    )


def assistant(*parts: dict[str, Any], reason: str | None = "stop") -> dict[str, Any]:
    return {"role": "assistant", "parts": list(parts), "finish_reason": reason}


def text(words: str) -> dict[str, Any]:
    return {"type": "text", "content": words}


def tool(name: str, **arguments: Any) -> dict[str, Any]:
    return {"type": "tool_call", "id": f"c-{name}-{len(arguments)}", "name": name, "arguments": arguments}


@pytest.mark.parametrize("document", [{"output": RESPONSES, "status": "completed"}, RESPONSES])
def test_items_of_the_responses_api_are_one_answer_whatever_their_types(document: Any) -> None:
    document = document if isinstance(document, dict) else {"output": document}
    [choice] = response_choices(document)
    assert choice.message.text == "At six."
    assert choice.finish_reason == ("tool_calls" if "status" in document else None)
    kinds = [type(part).__name__ for part in choice.message.parts]
    assert kinds == [
        *("ReasoningPart", "ToolCallPart", "ToolCallPart", "OtherPart", "TextPart"),
        *("ToolCallPart", "ToolCallPart"),
    ]
    asked = [(call.name, call.arguments, call.by_provider) for call in choice.message.tool_calls]
    assert asked == [
        ("web_search", {"action": {"query": "tides"}}, True),
        ("holo_deck", {"scene": "a harbour"}, True),
        ("book", {"n": 1}, False),
        ("sql", "select 1", False),
    ]


@pytest.mark.parametrize(
    "messages",
    [
        [assistant({"type": "reasoning", "content": "hm"}), assistant(text("At six."))],
        [
            assistant({"type": "server_tool_call", "id": "w", "name": "web_search"}),
            assistant(
                {"type": "server_tool_call_response", "id": "w", "server_tool_call_response": {"a": 1}}
            ),
            assistant(text("At six.")),
        ],
        [assistant({"type": "unheard_of", "x": 1}), assistant(text("At six."))],
        # The chunks of a stream, and then the whole.
        [assistant(text("At "), reason=""), assistant(text("six."), reason=""), assistant(text("At six."))],
        [assistant(text("At six."), reason=""), assistant(text("At six."))],
    ],
)
def test_outputs_that_are_no_answers_by_themselves_are_one(messages: list[dict[str, Any]]) -> None:
    call = conventions(messages, **{"gen_ai.response.finish_reasons": ["stop"]})
    assert [(choice.message.text, choice.finish_reason) for choice in call.choices] == [("At six.", "stop")]


def test_parallel_tool_calls_in_outputs_of_their_own_are_one() -> None:
    messages = [assistant(text("I look."), reason="tool_calls")]
    messages += [assistant(tool("tide", port=port), reason="tool_calls") for port in ("Brest", "Oban")]
    for outputs in (messages, messages[1:]):
        [choice] = conventions(outputs).choices
        assert [call.arguments["port"] for call in choice.message.tool_calls] == ["Brest", "Oban"]
        assert choice.finish_reason == "tool_calls"


def test_the_request_tells_how_many_answers_there_are() -> None:
    messages = [assistant(text("At ")), assistant(text("six."))]
    assert [choice.message.text for choice in conventions(messages).choices] == ["At ", "six."]
    [choice] = conventions(messages, **{"openai.api.type": "responses"}).choices
    assert choice.message.text == "At six."
    tools = [assistant(tool("tide", port=port)) for port in ("Brest", "Oban")]
    assert len(conventions(tools, **{"gen_ai.request.choice.count": 2}).choices) == 2


def openinference(parameters: dict[str, Any]) -> LLMCall:
    return call_of(
        {
            "openinference.span.kind": "LLM",
            "llm.model_name": "m",
            "llm.invocation_parameters": json.dumps(parameters),
            **{f"llm.output_messages.{n}.message.role": "assistant" for n in (40, 41, 42)},
            **{
                f"llm.output_messages.{40 + n}.message.content": word
                for n, word in enumerate(("A", " b", "c"))
            },
        }
    )


def test_pieces_of_a_stream_under_openinference_are_one_answer_and_n_is_n() -> None:
    for parameters in ({"n": None, "stream": True}, {"temperature": 0.2}, {"n": 1}):
        assert [choice.message.text for choice in openinference(parameters).choices] == ["A bc"]
    assert [choice.message.text for choice in openinference({"n": 3}).choices] == ["A", " b", "c"]


@pytest.mark.parametrize(
    "messages",
    [
        [assistant(text("Yes.")), assistant(text("Yes."))],
        [assistant(text("Yes.")), assistant(text("No."), reason="length")],
        [assistant(text("Yes.")), assistant(tool("tide"), reason="tool_calls")],
        [assistant(tool("tide", port="Oban")), assistant(tool("tide", port="Oban"))],
        [assistant(text("Yes.")), assistant()],
        [assistant(text("")), assistant(text("Yes.")), assistant(text("Yes."))],
    ],
)
def test_choices_stay_choices(messages: list[dict[str, Any]]) -> None:
    assert len(conventions(messages).choices) == len(messages)


def test_what_is_unknown_is_a_part_that_says_nothing() -> None:
    [choice] = conventions([assistant({"type": "hologram", "beam": [1]}, text("Hi."))]).choices
    assert choice.message.parts[0] == OtherPart("hologram", '{"type":"hologram","beam":[1]}')
    assert choice.message.text == "Hi."


def test_parts_of_an_answer_keep_their_order() -> None:
    [choice] = conventions(
        [assistant({"type": "reasoning", "content": "hm"}, tool("tide"), text("Hi."))]
    ).choices
    assert [type(part) for part in choice.message.parts][:2] == [ReasoningPart, ToolCallPart]
