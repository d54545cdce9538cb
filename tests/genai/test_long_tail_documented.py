"""What can't be run here: spans as the documentation and the sources of these writers say they are."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import pytest

from otel_arthur.genai.call import LLMCall
from otel_arthur.genai.reading import Reading, read
from otel_arthur.genai.span import EventView, SpanView

START = 1_700_000_000_000_000_000
ASKED = [("system", "Be brief."), ("user", "What is OpenTelemetry?")]


def span(scope: str, *events: EventView, **more: Any) -> SpanView:
    """A finished span of one second; attributes are given with ``attributes``."""
    return SpanView(
        trace_id="0af7651916cd43dd8448eb211c80319c",
        span_id="b7ad6b7169203331",
        parent_span_id=None,
        name=more.get("name", "chat gpt-4o-mini"),
        scope=scope,
        scope_version="",
        start_ns=START,
        end_ns=START + 1_000_000_000,
        status_code=more.get("status_code", 0),
        status_message="",
        attributes=more["attributes"],
        events=events,
        resource={},
        dropped_attributes=0,
    )


def call_of(reading: Reading) -> LLMCall:
    assert reading.call is not None
    return reading.call


def said(call: LLMCall) -> list[tuple[str, str]]:
    return [(message.role, message.text) for message in call.messages]


def answers(call: LLMCall) -> list[tuple[str, str | None]]:
    return [(choice.message.text, choice.finish_reason) for choice in call.choices]


def counts(call: LLMCall) -> tuple[int | None, ...]:
    usage = call.usage
    return usage.input, usage.output, usage.total, usage.cached, usage.cache_write, usage.reasoning


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

    def test_version_2_writes_messages(self) -> None:
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

    def test_version_1_has_no_content_and_says_what_to_do(self) -> None:
        reading = read(span("org.springframework.boot", attributes=self.ATTRIBUTES))
        assert reading.content_missing
        assert "spring.ai.chat.observations.log-prompt=true" in reading.reason

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


class TestNormalizer:
    """Spans that a Collector's gen_ai_normalizer has rewritten, with and without what they were before."""

    RENAMED: ClassVar[dict[str, Any]] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-mini-2026-01-01",
        "gen_ai.usage.input_tokens": 21,
        "gen_ai.usage.output_tokens": 7,
        "gen_ai.conversation.id": "session-1",
        "gen_ai.input.messages": json.dumps(
            [{"role": role, "parts": [{"type": "text", "content": words}]} for role, words in ASKED]
        ),
        "gen_ai.output.messages": json.dumps(
            [{"role": "assistant", "parts": [{"type": "text", "content": "A standard."}]}]
        ),
        "llm.finish_reason": "stop",
    }
    ORIGINALS: ClassVar[dict[str, Any]] = {
        "openinference.span.kind": "LLM",
        "llm.model_name": "gpt-4o-mini-2026-01-01",
        "llm.provider": "openai",
        "llm.token_count.prompt": 21,
        "llm.token_count.completion": 7,
        "session.id": "session-1",
        "llm.input_messages.0.message.role": "system",
        "llm.input_messages.0.message.content": "Be brief.",
        "llm.input_messages.1.message.role": "user",
        "llm.input_messages.1.message.content": "What is OpenTelemetry?",
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.content": "A standard.",
    }

    @pytest.mark.parametrize("originals", [{}, ORIGINALS], ids=["removed", "kept"])
    def test_openinference(self, originals: dict[str, Any]) -> None:
        attributes = {**originals, **self.RENAMED}
        reading = read(span("openinference.instrumentation.openai", attributes=attributes))
        call = call_of(reading)
        assert said(call) == ASKED
        assert answers(call) == [("A standard.", "stop")]
        assert counts(call)[:3] == (21, 7, 28)
        assert (call.provider, call.conversation_id, call.operation) == ("openai", "session-1", "chat")
        assert not reading.content_missing

    @pytest.mark.parametrize(
        ("kind", "operation"),
        [
            ("PROMPT", "text_completion"),
            ("CHAIN", "invoke_agent"),
            ("TOOL", "execute_tool"),
            ("RETRIEVER", "retrieval"),
            ("EMBEDDING", "embeddings"),
        ],
    )
    @pytest.mark.parametrize("kept", [False, True])
    def test_other_kinds_are_no_calls(self, kind: str, operation: str, kept: bool) -> None:
        """A prompt template becomes a text completion by name: it has no model."""
        attributes = {"gen_ai.operation.name": operation, "input.value": "{}", "output.value": "text"}
        if kept:
            attributes["openinference.span.kind"] = kind
        assert read(span("openinference.instrumentation.langchain", attributes=attributes)).call is None

    def test_openllmetry_keeps_its_numbered_messages(self) -> None:
        attributes = {
            "gen_ai.operation.name": "chat",
            "gen_ai.system": "OpenAI",
            "gen_ai.request.model": "gpt-4o-mini",
            "gen_ai.response.model": "gpt-4o-mini-2026-01-01",
            "gen_ai.usage.input_tokens": 21,
            "gen_ai.usage.output_tokens": 7,
            "gen_ai.response.finish_reasons": ["stop"],
            "llm.usage.total_tokens": 28,
            "gen_ai.prompt.0.role": "system",
            "gen_ai.prompt.0.content": "Be brief.",
            "gen_ai.prompt.1.role": "user",
            "gen_ai.prompt.1.content": "What is OpenTelemetry?",
            "gen_ai.completion.0.role": "assistant",
            "gen_ai.completion.0.content": "A standard.",
            "gen_ai.completion.0.finish_reason": "stop",
        }
        call = call_of(read(span("opentelemetry.instrumentation.openai.v1", attributes=attributes)))
        assert said(call) == ASKED
        assert answers(call) == [("A standard.", "stop")]
        assert counts(call)[:3] == (21, 7, 28)

    def test_openllmetry_workflow_is_no_call(self) -> None:
        attributes = {
            "gen_ai.operation.name": "invoke_workflow",
            "gen_ai.agent.name": "my_chain",
            "gen_ai.input.messages": '{"inputs": {"question": "?"}}',
            "gen_ai.output.messages": '{"outputs": "A standard."}',
        }
        assert read(span("opentelemetry.instrumentation.langchain", attributes=attributes)).call is None


def vercel(**more: Any) -> dict[str, Any]:
    return {
        "ai.operationId": "ai.generateText.doGenerate",
        "ai.model.id": "claude",
        "ai.prompt.messages": '[{"role":"user","content":[{"type":"text","text":"Hello"}]}]',
        "ai.response.text": "Hi",
        "ai.response.finishReason": "stop",
        **{f"ai.{key}": value for key, value in more.items()},
    }


def langfuse(usage: dict[str, Any]) -> dict[str, Any]:
    return {
        "langfuse.observation.type": "generation",
        "langfuse.observation.input": '[{"role":"user","content":"Hello"}]',
        "langfuse.observation.output": '{"role":"assistant","content":"Hi"}',
        "langfuse.observation.usage_details": json.dumps(usage),
    }


def chat(**usage: int) -> dict[str, Any]:
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.request.model": "claude",
        **{f"gen_ai.usage.{key.replace('__', '.')}": value for key, value in usage.items()},
    }


@pytest.mark.parametrize(
    ("scope", "attributes", "meant"),
    [
        pytest.param(
            "ai",
            {
                **vercel(**{"model.provider": "anthropic.messages"}),
                "ai.usage.inputTokens": 100,
                "ai.usage.outputTokens": 50,
                "ai.usage.cachedInputTokens": 80,
            },
            (180, 50, 230, 80, None, None),
            id="AI SDK 5, Anthropic: the cache is outside",
        ),
        pytest.param(
            "ai",
            {
                **vercel(**{"model.provider": "openai.chat"}),
                "ai.usage.promptTokens": 100,
                "ai.usage.completionTokens": 50,
            },
            (100, 50, 150, None, None, None),
            id="AI SDK 4",
        ),
        pytest.param(
            "ai",
            {
                **vercel(**{"model.provider": "anthropic.messages"}),
                "ai.usage.inputTokens": 180,
                "ai.usage.inputTokenDetails.noCacheTokens": 90,
                "ai.usage.inputTokenDetails.cacheReadTokens": 80,
                "ai.usage.inputTokenDetails.cacheWriteTokens": 10,
                "ai.usage.outputTokens": 50,
            },
            (180, 50, 230, 80, 10, None),
            id="AI SDK 6: the same for all",
        ),
        pytest.param(
            "langfuse-sdk",
            langfuse({"input": 17, "output": 5, "input_cache_read": 4, "output_reasoning": 2}),
            (21, 7, 28, 4, None, 2),
            id="Langfuse's own names: each part once",
        ),
        pytest.param(
            "langfuse-sdk",
            langfuse({"input_tokens": 100, "output_tokens": 50, "cache_read_input_tokens": 80}),
            (180, 50, 230, 80, None, None),
            id="Langfuse, Anthropic's document",
        ),
        pytest.param(
            "langfuse-sdk",
            langfuse({"input": 21, "output": 7, "total": 28, "input_cached_tokens": 4}),
            (21, 7, 28, 4, None, None),
            id="Langfuse, a total that leaves no room for the cache",
        ),
        pytest.param(
            "strands.telemetry.tracer",
            chat(input_tokens=100, output_tokens=50, total_tokens=240, cache_read__input_tokens=80)
            | {"gen_ai.usage.cache_creation.input_tokens": 10},
            (190, 50, 240, 80, 10, None),
            id="Strands, Bedrock: the total tells",
        ),
        pytest.param(
            "pydantic-ai",
            chat(input_tokens=190, output_tokens=50, cache_read__input_tokens=80)
            | {"gen_ai.usage.details.cache_write_tokens": 10},
            (190, 50, 240, 80, 10, None),
            id="Pydantic AI sums up for all (pydantic-ai#4364)",
        ),
    ],
)
def test_one_meaning_of_each_count(
    scope: str, attributes: dict[str, Any], meant: tuple[int | None, ...]
) -> None:
    assert counts(call_of(read(span(scope, attributes=attributes)))) == meant


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
