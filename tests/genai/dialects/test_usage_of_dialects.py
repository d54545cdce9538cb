"""Counts as instrumentations write them, each in its own way and under its own names."""

from __future__ import annotations

import json
from typing import Any

import pytest

from otel_arthur.genai.call import Usage
from otel_arthur.genai.reading import read
from otel_arthur.genai.span import SpanView

SEMCONV: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "m",
    "gen_ai.input.messages": '[{"role": "user", "parts": [{"type": "text", "content": "Hi"}]}]',
    "gen_ai.output.messages": '[{"role": "assistant", "parts": [{"type": "text", "content": "Ho"}]}]',
    "gen_ai.usage.input_tokens": 100,
    "gen_ai.usage.output_tokens": 50,
}
AI_SDK: dict[str, Any] = {
    "ai.operationId": "ai.generateText.doGenerate",
    "ai.model.id": "m",
    "ai.prompt.messages": '[{"role": "user", "content": "Hi"}]',
    "ai.response.text": "Ho",
    "ai.usage.inputTokens": 100,
    "ai.usage.outputTokens": 50,
}


def usage_of(attributes: dict[str, Any], scope: str = "x") -> Usage:
    view = SpanView("a" * 32, "b" * 16, None, "chat m", scope, "", 1, 2, 0, "", attributes, [], {}, 0)
    call = read(view).call
    assert call is not None
    return call.usage


@pytest.mark.parametrize(
    "scope", ["x", "litellm", "lmnr.tracer", "pydantic-ai", "spring-ai", "strands.telemetry"]
)
@pytest.mark.parametrize(
    ("field", "key"),
    [
        ("cached", "cache_read.input_tokens"),
        ("cached", "cache_read_input_tokens"),
        ("cached", "cached_input_tokens"),
        ("cached", "input_tokens.cached"),
        ("cached", "cached_tokens"),
        ("cached", "details.cache_read_tokens"),
        ("cache_write", "cache_creation.input_tokens"),
        ("cache_write", "cache_creation_input_tokens"),
        ("cache_write", "input_tokens.cache_write"),
        ("cache_write", "details.cache_write_tokens"),
        ("reasoning", "reasoning.output_tokens"),
        ("reasoning", "reasoning_tokens"),
        ("reasoning", "output_tokens.reasoning"),
        ("reasoning", "details.reasoning_tokens"),
    ],
)
def test_a_part_is_found_under_every_name_in_every_dialect(scope: str, field: str, key: str) -> None:
    usage = usage_of({**SEMCONV, f"gen_ai.usage.{key}": 40}, scope)
    assert getattr(usage, field) == 40
    assert (usage.input, usage.output, usage.total) == (100, 50, 150)


def test_bedrock_through_openllmetry_leaves_the_cache_out_of_its_counts_and_of_its_sum() -> None:
    attributes = {
        **SEMCONV,
        "gen_ai.provider.name": "aws.bedrock",
        "gen_ai.usage.total_tokens": 150,
        "gen_ai.usage.cache_read.input_tokens": 60,
        "gen_ai.usage.cache_creation.input_tokens": 7,
    }
    usage = usage_of(attributes, "opentelemetry.instrumentation.bedrock")
    assert usage == Usage(167, 50, 217, 60, 7)


@pytest.mark.parametrize(
    ("provider", "metadata", "more", "meant"),
    [
        # Anthropic's own count is what the span has: the cache is beside it.
        (
            "anthropic.messages",
            {"anthropic": {"usage": {"input_tokens": 100, "cache_read_input_tokens": 60}}},
            {},
            Usage(160, 50, 210, 60),
        ),
        # It is less: the span's has the cache.
        (
            "anthropic.messages",
            {
                "anthropic": {
                    "usage": {
                        "input_tokens": 30,
                        "cache_read_input_tokens": 60,
                        "cache_creation_input_tokens": 10,
                    }
                }
            },
            {"ai.usage.cachedInputTokens": 60},
            Usage(100, 50, 150, 60, 10),
        ),
        (
            "amazon-bedrock",
            {"bedrock": {"usage": {"cacheReadInputTokens": 60, "cacheWriteInputTokens": 3}}},
            {},
            Usage(163, 50, 213, 60, 3),
        ),
        (
            "openai.chat",
            {"openai": {"cachedPromptTokens": 60, "reasoningTokens": 20}},
            {},
            Usage(100, 50, 150, 60, None, 20),
        ),
        (
            "google.generative-ai",
            {"google": {"usageMetadata": {"cachedContentTokenCount": 60, "thoughtsTokenCount": 20}}},
            {"ai.usage.totalTokens": 170},
            Usage(100, 70, 170, 60, None, 20),
        ),
        # Version 6 has the parts itself, and counts them in.
        (
            "anthropic.messages",
            {},
            {"ai.usage.inputTokenDetails.cacheReadTokens": 60},
            Usage(100, 50, 150, 60),
        ),
    ],
)
def test_the_ai_sdk_counts_as_the_provider_s_metadata_tell(
    provider: str, metadata: dict[str, Any], more: dict[str, Any], meant: Usage
) -> None:
    attributes = {
        **AI_SDK,
        "ai.model.provider": provider,
        "ai.response.providerMetadata": json.dumps(metadata),
        **more,
    }
    assert usage_of(attributes, "ai") == meant


def test_gemini_s_thoughts_are_what_its_total_has_beyond() -> None:
    attributes = {**SEMCONV, "gen_ai.provider.name": "gcp.vertex_ai", "gen_ai.usage.total_tokens": 163}
    usage = usage_of(attributes, "opentelemetry.instrumentation.vertexai")
    assert (usage.input, usage.output, usage.total) == (100, 63, 163)
