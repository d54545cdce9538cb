"""Spans as their writers document them: whose counts include the cache, and whose do not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from otel_arthur.genai.reading import read
from tests.genai.dialects.documented_spans import call_of, counts, span


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
