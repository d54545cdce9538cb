"""What can't be run here: spans as the documentation and the sources of these writers say they are."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import pytest

from otel_arthur.genai.reading import read
from otel_arthur.genai.span import EventView
from tests.genai.dialects.documented_spans import ASKED, START, answers, call_of, counts, said, span


class TestSpringAI:
    """Every value is text, as Micrometer's key values are."""

    ATTRIBUTES: ClassVar[dict[str, Any]] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.system": "openai",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.response.model": "gpt-4o-mini-2026-01-01",
        "gen_ai.request.temperature": "0.2",
        "gen_ai.request.max_tokens": "64",
        "gen_ai.response.finish_reasons": '["STOP"]',
        "gen_ai.response.id": "chatcmpl-1",
        "gen_ai.usage.input_tokens": "21",
        "gen_ai.usage.output_tokens": "7",
        "gen_ai.usage.total_tokens": "28",
    }

    def test_an_observation_filter_writes_messages(self) -> None:
        asked = [{"role": role, "content": words} for role, words in ASKED]
        answer = [
            {
                "role": "assistant",
                "parts": [{"type": "text", "content": "A standard."}],
                "finish_reason": "STOP",
            }
        ]
        attributes = {
            **self.ATTRIBUTES,
            "gen_ai.input.messages": json.dumps(asked),
            "gen_ai.output.messages": json.dumps(answer),
        }
        reading = read(span("org.springframework.boot", attributes=attributes))
        call = call_of(reading)
        assert call.dialect == "spring-ai"
        assert not reading.content_missing
        assert said(call) == ASKED
        assert answers(call) == [("A standard.", "stop")]
        assert counts(call) == (21, 7, 28, None, None, None)
        assert (call.temperature, call.max_tokens, call.response_id) == (0.2, 64, "chatcmpl-1")

    def test_milestones_wrote_texts_in_events(self) -> None:
        texts = json.dumps([words for _, words in ASKED])
        prompt = EventView("gen_ai.content.prompt", START, {"gen_ai.prompt": texts})
        completion = EventView("gen_ai.content.completion", START, {"gen_ai.completion": '["A standard."]'})
        call = call_of(read(span("org.springframework.boot", prompt, completion, attributes=self.ATTRIBUTES)))
        assert [words for _, words in said(call)] == [words for _, words in ASKED]
        assert answers(call) == [("A standard.", "stop")]

    def test_no_version_has_content_and_the_reason_says_what_to_do(self) -> None:
        reading = read(span("org.springframework.boot", attributes=self.ATTRIBUTES))
        assert reading.content_missing
        assert "ObservationFilter" in reading.reason

    def test_a_model_that_is_not_known_is_none(self) -> None:
        attributes = {**self.ATTRIBUTES, "gen_ai.response.model": "none", "gen_ai.request.model": "none"}
        call = call_of(read(span("org.springframework.boot", attributes=attributes)))
        assert (call.request_model, call.response_model) == (None, None)

    @pytest.mark.parametrize(
        "attributes",
        [
            {
                "spring.ai.kind": "chat_client",
                "gen_ai.operation.name": "framework",
                "gen_ai.system": "spring_ai",
            },
            {
                "spring.ai.kind": "advisor",
                "gen_ai.operation.name": "framework",
                "gen_ai.system": "spring_ai",
            },
            {
                "spring.ai.kind": "tool_call",
                "gen_ai.operation.name": "framework",
                "gen_ai.system": "spring_ai",
            },
            {"gen_ai.operation.name": "embedding", "gen_ai.system": "openai", "gen_ai.request.model": "e"},
        ],
    )
    def test_what_is_around_a_call_is_none(self, attributes: dict[str, Any]) -> None:
        assert read(span("org.springframework.boot", attributes=attributes)).call is None


def test_microsoft_extensions_ai_of_dotnet_follows_the_conventions() -> None:
    """As the tests of its OpenTelemetryChatClient say that a span is (dotnet/extensions)."""
    asked = [{"role": role, "parts": [{"type": "text", "content": words}]} for role, words in ASKED]
    answer = {
        "role": "assistant",
        "parts": [{"type": "text", "content": "A standard."}],
        "finish_reason": "stop",
    }
    call = call_of(
        read(
            span(
                "Experimental.Microsoft.Extensions.AI",
                attributes={
                    "gen_ai.operation.name": "chat",
                    "gen_ai.provider.name": "openai",
                    "gen_ai.request.model": "gpt-4o-mini",
                    "gen_ai.response.finish_reasons": ("stop",),
                    "gen_ai.usage.input_tokens": 21,
                    "gen_ai.usage.output_tokens": 7,
                    "gen_ai.input.messages": json.dumps(asked),
                    "gen_ai.output.messages": json.dumps([answer]),
                },
            )
        )
    )
    assert said(call) == ASKED
    assert answers(call) == [("A standard.", "stop")]
    assert counts(call)[:3] == (21, 7, 28)


def test_semantic_kernel_of_dotnet_writes_events_on_the_span() -> None:
    asked = json.dumps([{"role": role, "content": words} for role, words in ASKED])
    answer = json.dumps([{"role": "assistant", "content": "A standard.", "finish_reason": "stop"}])
    call = call_of(
        read(
            span(
                "Microsoft.SemanticKernel.Diagnostics",
                EventView("gen_ai.content.prompt", START, {"gen_ai.prompt": asked}),
                EventView("gen_ai.content.completion", START, {"gen_ai.completion": answer}),
                attributes={
                    "gen_ai.operation.name": "chat.completions",
                    "gen_ai.system": "openai",
                    "gen_ai.request.model": "gpt-4o-mini",
                    "gen_ai.response.prompt_tokens": 21,
                    "gen_ai.response.completion_tokens": 7,
                },
            )
        )
    )
    assert call.dialect == "semantic-kernel"
    assert said(call) == ASKED
    assert answers(call) == [("A standard.", "stop")]
    assert counts(call)[:3] == (21, 7, 28)


def test_langsmith_wraps_the_client_of_openai() -> None:
    asked = {"messages": [{"role": role, "content": words} for role, words in ASKED], "model": "gpt-4o-mini"}
    answer = {
        "id": "chatcmpl-1",
        "model": "gpt-4o-mini-2026-01-01",
        "choices": [
            {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "A standard."}}
        ],
    }
    call = call_of(
        read(
            span(
                "langsmith",
                attributes={
                    "langsmith.span.kind": "llm",
                    "gen_ai.prompt": json.dumps(asked),
                    "gen_ai.completion": json.dumps(answer),
                },
            )
        )
    )
    assert said(call) == ASKED
    assert answers(call) == [("A standard.", "stop")]
    assert (call.response_id, call.response_model) == ("chatcmpl-1", "gpt-4o-mini-2026-01-01")


class TestElastic:
    """Elastic's package for OpenAI, whose scope is nearly OpenLLMetry's; content comes as log events."""

    ATTRIBUTES: ClassVar[dict[str, Any]] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.system": "openai",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
        "gen_ai.response.id": "chatcmpl-1",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 120,
        "gen_ai.usage.output_tokens": 17,
    }

    def test_missing_content_names_its_own_switch(self) -> None:
        reading = read(span("opentelemetry.instrumentation.openai", attributes=self.ATTRIBUTES))
        assert reading.content_missing
        assert reading.reason.endswith("set OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true")

    def test_content_in_events_is_waited_for(self) -> None:
        reading = read(span("opentelemetry.instrumentation.openai", attributes=self.ATTRIBUTES))
        assert reading.dialect is not None
        assert reading.dialect.emits_log_events
        openllmetry = read(span("opentelemetry.instrumentation.openai.v1", attributes=self.ATTRIBUTES))
        assert openllmetry.dialect is not None
        assert openllmetry.dialect.name == "openllmetry"


class TestLangtrace:
    """Langtrace in the older form of the conventions, with a count of its own."""

    def test_cached_tokens(self) -> None:
        reading = read(
            span(
                "langtrace_python_sdk.instrumentation.openai.instrumentation",
                EventView(
                    "gen_ai.content.prompt",
                    START,
                    {
                        "gen_ai.prompt": '[{"role": "system", "content": "Be brief."}, '
                        '{"role": "user", "content": "What is OpenTelemetry?"}]'
                    },
                ),
                EventView(
                    "gen_ai.content.completion",
                    START,
                    {"gen_ai.completion": '[{"role": "assistant", "content": "A standard."}]'},
                ),
                attributes={
                    "gen_ai.operation.name": "chat",
                    "gen_ai.system": "openai",
                    "gen_ai.request.model": "gpt-4o-mini",
                    "gen_ai.usage.input_tokens": 120,
                    "gen_ai.usage.output_tokens": 17,
                    "gen_ai.usage.total_tokens": 137,
                    "gen_ai.usage.cached_tokens": 100,
                },
            )
        )
        call = call_of(reading)
        assert said(call) == ASKED
        assert answers(call) == [("A standard.", None)]
        assert counts(call) == (120, 17, 137, 100, None, None)
