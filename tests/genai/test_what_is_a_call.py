"""What is a call is decided by what is on the span; so is what failed, and what was empty or lost."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from otel_arthur.genai.reading import read
from otel_arthur.genai.span import EventView
from tests.genai.spans import ANSWER, CHAT, EXCEPTION, QUESTION, call_in, halves, span

WORDS = {**QUESTION, **ANSWER}
MODEL = {"gen_ai.request.model": "wren-1"}


@pytest.mark.parametrize(
    "name",
    ["chat", "Chat", "CHAT", "text_completion", "textCompletion", "generate-content", "chat.completions"],
)
def test_an_operation_is_compared_without_case_and_separators(name: str) -> None:
    assert halves(span({"gen_ai.operation.name": name, **MODEL, **WORDS})) == (
        ["Is it late?"],
        ["Half past."],
    )


@pytest.mark.parametrize("name", ["aresponses", "anthropic_messages", "openai.responses.create", "call_llm"])
def test_an_operation_that_nobody_listed_counts_when_words_are_there(name: str) -> None:
    assert call_in(span({"gen_ai.operation.name": name, **WORDS})).operation == "chat"
    assert read(span({"gen_ai.operation.name": name, **MODEL})).call is None
    failed = call_in(span({"gen_ai.operation.name": name, **QUESTION}, failed=True))
    assert failed.failed


@pytest.mark.parametrize(
    "name",
    [
        *("invoke_agent", "create_agent", "execute_tool", "invoke_workflow", "agent_step", "plan"),
        *("embeddings", "aembedding", "rerank", "arerank", "moderation", "image_generation", "retrieval"),
        *("execute_event_loop_cycle", "vector_db_retrieve", "transcription", "speech"),
    ],
)
def test_operations_around_calls_and_of_other_models_are_none(name: str) -> None:
    reading = read(span({"gen_ai.operation.name": name, **MODEL, **WORDS}))
    assert reading.call is None
    assert "set " not in reading.reason


@pytest.mark.parametrize(
    ("attributes", "scope", "name"),
    [
        (
            {"langfuse.observation.type": "generation", "langfuse.observation.input": "wool"},
            "langfuse-sdk",
            "OpenAI.embeddings",
        ),
        ({"lmnr.span.type": "LLM", **MODEL, **QUESTION}, "lmnr.tracer", "openai.embeddings"),
        (
            {"openinference.span.kind": "LLM", "llm.model_name": "text-embedding-9", "input.value": "x"},
            "o",
            "run",
        ),
        (
            {"langsmith.span.kind": "llm", "gen_ai.prompt": "x", "gen_ai.request.model": "rerank-3"},
            "l",
            "run",
        ),
    ],
)
def test_an_embedding_that_is_written_as_a_call_is_none(
    attributes: Mapping[str, Any], scope: str, name: str
) -> None:
    assert read(span(attributes, scope=scope, name=name)).call is None


@pytest.mark.parametrize("around", ["gen_ai.agent.name", "gen_ai.tool.name", "traceloop.span.kind"])
def test_a_sum_of_tokens_around_calls_is_none(around: str) -> None:
    usage = {"gen_ai.usage.input_tokens": 42, "gen_ai.usage.output_tokens": 14}
    reading = read(span({around: "agent", **MODEL, **usage}, scope="opentelemetry.instrumentation.agno"))
    assert reading.call is None
    assert "set " not in reading.reason


def test_without_an_operation_a_model_and_words_make_a_call() -> None:
    events = [
        EventView("gen_ai.user.message", 1, {"content": "Is it late?"}),
        EventView("gen_ai.choice", 2, {"message": "Half past.", "finish_reason": "stop"}),
    ]
    assert halves(span({"gen_ai.response.model": "wren-1"}, *events)) == (["Is it late?"], ["Half past."])
    assert read(span({"gen_ai.response.model": "wren-1"}, events[0])).call is None


def test_a_failed_call_needs_no_operation() -> None:
    view = replace(span({**MODEL, **QUESTION}, EXCEPTION, failed=True), status_message="APIError: no")
    call = call_in(view)
    assert (call.failed, call.error_type, call.error_message) == (True, "openai.APIError", "no")
    assert call_in(replace(view, events=())).error_message == "APIError: no"


class TestFailure:
    def test_error_type_alone(self) -> None:
        call = call_in(span({**CHAT, **QUESTION, "error.type": "rate_limit_exceeded"}))
        assert (call.failed, call.error_type) == (True, "rate_limit_exceeded")

    def test_an_exception_without_an_answer(self) -> None:
        assert call_in(span({**CHAT, **QUESTION}, EXCEPTION)).failed
        assert not call_in(span({**CHAT, **WORDS}, EXCEPTION)).failed

    def test_the_dialects_own_word(self) -> None:
        attributes = {
            "langfuse.observation.type": "generation",
            "langfuse.observation.input": "x",
            "langfuse.observation.level": "ERROR",
        }
        call = call_in(span(attributes))
        assert (call.failed, call.error_type) == (True, "_OTHER")


class TestNoAnswer:
    @pytest.mark.parametrize("reason", ["length", "content_filter", "SAFETY", "tool_calls", "aborted"])
    def test_the_finish_reason_says_that_it_was_empty(self, reason: str) -> None:
        counted = {"gen_ai.usage.output_tokens": 14, "gen_ai.response.finish_reasons": [reason]}
        reading = read(span({**CHAT, **QUESTION, **counted}))
        assert not reading.content_missing
        assert reading.call is not None
        assert [choice.message.text for choice in reading.call.choices] == [""]
        assert reading.call.choices[0].finish_reason not in (None, "stop")

    def test_no_token_says_so_too(self) -> None:
        attributes = {**CHAT, **QUESTION, "gen_ai.usage.output_tokens": 0}
        assert not read(span(attributes)).content_missing

    def test_a_blocked_prompt(self) -> None:
        blocked = json.dumps({"promptFeedback": {"blockReason": "SAFETY"}})
        call = call_in(span({**CHAT, **QUESTION, "output.value": blocked}))
        assert [choice.finish_reason for choice in call.choices] == ["content_filter"]

    @pytest.mark.parametrize(
        "name",
        [
            *("<groq.Stream object at 0x7e2f8016b7e2>", "<coroutine object f at 0x7f00>", "Generator"),
            *("<async_generator object Stream.__aiter__ at 0x7f>", "[object AsyncGenerator]"),
        ],
    )
    def test_the_name_of_an_object_is_no_answer(self, name: str) -> None:
        lost = read(span({**CHAT, **QUESTION, "output.value": name}))
        assert lost.content_missing
        assert "not recorded" in lost.reason
        assert "set " not in lost.reason
        said = {"gen_ai.completion.0.content": name, "output.value": "Half past."}
        found = halves(span({**CHAT, **QUESTION, **said}))
        assert found[1] == ([name] if name == "Generator" or name.startswith("[") else ["Half past."])

    def test_a_switch_is_advised_only_where_content_is_off(self) -> None:
        off = read(span(CHAT, scope="opentelemetry.instrumentation.langchain"))
        assert off.reason == "messages were not recorded: set TRACELOOP_TRACE_CONTENT=true"
        lost = read(span({**CHAT, **QUESTION}, scope="opentelemetry.instrumentation.langchain"))
        assert lost.reason == "the answer was not recorded by the instrumentation"

    def test_a_package_without_a_switch_is_told_so(self) -> None:
        for scope in ("org.springframework.boot", "strands.telemetry.tracer"):
            reason = read(span(CHAT, scope=scope)).reason
            assert "not recorded: " in reason
            assert "set " not in reason.partition("application's log")[0]
