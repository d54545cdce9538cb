"""Spans that a Collector's gen_ai_normalizer has rewritten, as its documentation says."""

from __future__ import annotations

import json
from typing import Any, ClassVar

import pytest

from otel_arthur.genai.reading import read
from tests.genai.dialects.documented_spans import ASKED, answers, call_of, counts, said, span


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
