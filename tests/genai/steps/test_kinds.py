"""Inputs of the kinds in which reading used to break, over the dialects: what is sent of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from otel_arthur.genai.duplicates.verdicts import judge
from otel_arthur.genai.span import SpanView
from otel_arthur.inference.build import build

CHAT = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.provider.name": "openai"}
ASKED = {"gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "Q?"}]}]}
SAID = {"gen_ai.output.messages": [{"role": "assistant", "parts": [{"type": "text", "content": "A."}]}]}
MINE = "my.instrumentation"
SECRET = "SECRET"
"""What nobody may read as words."""
ITEMS = [
    {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hmm"}]},
    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "A."}]},
    {"type": "image_generation_call", "id": "i", "result": SECRET},
    {"type": "an_item_of_next_year", "words": SECRET},
]


def rows(scope: str, attributes: Mapping[str, Any], status: int = 0) -> list[dict[str, Any]]:
    written = {
        name: json.dumps(value) if isinstance(value, dict | list) else value
        for name, value in attributes.items()
    }
    view = SpanView("a" * 32, "b" * 16, None, "chat m", scope, "1", 1, 10**9, status, "", written, [], {}, 0)
    calls = [one.reading.call for one in judge([view]) if one.decision in ("inference", "failed")]
    return [one.data for call in calls if call is not None for one in build(call)]


def generation(said: Any, asked: Any = "Q?") -> tuple[str, dict[str, Any]]:
    """Langfuse's."""
    return "langfuse-sdk", {
        "langfuse.observation.type": "generation",
        "langfuse.observation.model.name": "m",
        "langfuse.observation.input": asked,
        "langfuse.observation.output": said,
    }


def conventions(said: Any, **more: Any) -> tuple[str, dict[str, Any]]:
    return MINE, {**CHAT, **ASKED, "gen_ai.output.messages": said, **more}


def anthropic(*content: Any) -> tuple[str, dict[str, Any]]:
    return generation({"type": "message", "role": "assistant", "content": content, "stop_reason": "end_turn"})


ANSWERS: Mapping[str, tuple[tuple[str, dict[str, Any]], str]] = {
    "items, one unknown": (generation(ITEMS), "A."),
    "items of MLflow's response": (
        (
            "mlflow",
            {
                "mlflow.spanType": '"CHAT_MODEL"',
                "mlflow.spanInputs": {"model": "m", "input": "Q?"},
                "mlflow.spanOutputs": {
                    "object": "response",
                    "output": [
                        {"type": "mcp_call", "name": "look", "arguments": "{}", "output": SECRET},
                        ITEMS[1],
                    ],
                },
            },
        ),
        "A.",
    ),
    "items of LangSmith's response": (
        (
            "langsmith",
            {
                "langsmith.span.kind": "llm",
                "gen_ai.request.model": "m",
                "gen_ai.prompt": {
                    "input": [{"role": "user", "content": "Q?"}, {"type": "compaction", "id": SECRET}]
                },
                "gen_ai.completion": {"object": "response", "output": ITEMS},
            },
        ),
        "A.",
    ),
    "thoughts in a message of their own": (
        conventions(
            [
                {"role": "assistant", "parts": [{"type": "reasoning", "content": SECRET}]},
                *SAID["gen_ai.output.messages"],
            ]
        ),
        "A.",
    ),
    "a web page": (
        anthropic(
            {"type": "text", "text": "A."},
            {"type": "server_tool_use", "id": "s", "name": "web_fetch", "input": {}},
            {
                "type": "web_fetch_tool_result",
                "tool_use_id": "s",
                "content": {"type": "web_fetch_result", "content": {"type": "document", "title": SECRET}},
            },
        ),
        "A.",
    ),
    "a shell's output and a citation": (
        anthropic(
            {"type": "bash_code_execution_tool_result", "content": {"stdout": SECRET}},
            {"type": "text", "text": "A.", "citations": [{"cited_text": SECRET}]},
        ),
        "A.",
    ),
    "Bedrock's thoughts": (
        conventions(
            [
                {
                    "role": "assistant",
                    "content": [
                        {"reasoningContent": {"reasoningText": {"text": SECRET, "signature": SECRET}}},
                        {"text": "A."},
                    ],
                }
            ]
        ),
        "A.",
    ),
    "Gemini's code": (
        conventions(
            [
                {
                    "role": "model",
                    "parts": [
                        {"text": SECRET, "thought": True},
                        {"executableCode": {"language": "PYTHON", "code": SECRET}},
                        {"codeExecutionResult": {"output": SECRET}},
                        {"text": "A."},
                    ],
                }
            ]
        ),
        "A.",
    ),
    "a refusal": (
        conventions([{"role": "assistant", "parts": [{"type": "refusal", "refusal": "No."}]}]),
        "No.",
    ),
    "a transcript": (
        conventions([{"role": "assistant", "content": None, "audio": {"transcript": "A.", "data": SECRET}}]),
        "A.",
    ),
    "messages encoded twice": (
        (
            MINE,
            {
                **CHAT,
                **{name: json.dumps(json.dumps(value)) for name, value in (ASKED | SAID).items()},
            },
        ),
        "A.",
    ),
    "messages of no model": ((MINE, {**ASKED, **SAID}), "A."),
    "Logfire's, where only others keep words": (
        (
            "logfire.openai",
            {**CHAT, "gen_ai.prompt": [{"role": "user", "content": "Q?"}], "gen_ai.completion": "A."},
        ),
        "A.",
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_one_answer_of_the_models_own_words(name: str) -> None:
    (scope, attributes), said = ANSWERS[name]
    [row] = rows(scope, attributes)
    assert row["output_text"] == said
    assert row["input_text"] == "Human: Q?"


@pytest.mark.parametrize(
    "operation",
    ["Chat", "chat.completions", "ChatCompletion", "generate-content", "converse", "message.create"],
)
def test_calls_by_any_spelling(operation: str) -> None:
    [row] = rows(MINE, {**CHAT, **ASKED, **SAID, "gen_ai.operation.name": operation})
    assert row["output_text"] == "A."


@pytest.mark.parametrize(
    "attributes",
    [
        {**CHAT, **ASKED, "gen_ai.operation.name": "Embedding"},
        {**CHAT, **ASKED, "gen_ai.operation.name": "InvokeWorkflow", **SAID},
        {**CHAT, **ASKED, "gen_ai.request.model": "omni-moderation-latest"},
        {**ASKED, **SAID, "gen_ai.agent.name": "an agent"},
        {**ASKED},
        {**SAID},
    ],
)
def test_no_calls(attributes: Mapping[str, Any]) -> None:
    assert rows(MINE, attributes) == []


USAGE = "gen_ai.usage."
VERCEL = {
    "ai.operationId": "ai.generateText.doGenerate",
    "ai.prompt.messages": [{"role": "user", "content": "Q?"}],
    "ai.response.text": "A.",
    "ai.model.id": "m",
}


@pytest.mark.parametrize(
    ("scope", "attributes", "counts"),
    [
        (
            MINE,
            {f"{USAGE}input_tokens": 100, f"{USAGE}output_tokens": 10, f"{USAGE}{name}": 40},
            (100, 10, 40),
        )
        for name in (
            *("cache_read.input_tokens", "cached_input_tokens", "cache_read_tokens", "input_tokens.cached"),
            *("prompt_tokens.cached", "details.cached_tokens", "details.prompt_cache_hit_tokens"),
            *("details.cache_read_input_tokens", "prompt_tokens_details.cached_tokens"),
        )
    ]
    + [
        (
            "ai",
            {
                **VERCEL,
                "ai.model.provider": "anthropic.messages",
                "ai.usage.promptTokens": 10,
                "ai.usage.completionTokens": 5,
                "ai.response.providerMetadata": {"anthropic": {"cacheReadInputTokens": 300}},
            },
            (310, 5, 300),
        ),
        (
            *("opentelemetry.instrumentation.bedrock",),
            {f"{USAGE}input_tokens": 10, f"{USAGE}output_tokens": 5, f"{USAGE}cache_read_input_tokens": 100},
            (110, 5, 100),
        ),
        (
            "langfuse-sdk",
            generation("A.")[1]
            | {"langfuse.observation.usage_details": {"input": 10, "output": 8, "input_cached_tokens": 40}},
            (50, 8, 40),
        ),
    ],
)
def test_caches_by_any_spelling(
    scope: str, attributes: Mapping[str, Any], counts: tuple[int, int, int]
) -> None:
    [row] = rows(scope, {**CHAT, **ASKED, **SAID, **attributes})
    assert (row["prompt_tokens"], row["completion_tokens"], row["cached_tokens"]) == counts
