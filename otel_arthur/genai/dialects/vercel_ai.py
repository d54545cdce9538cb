"""Vercel's AI SDK (``experimental_telemetry``): its ``ai.*`` attributes, GenAI ones beside.

Reference: https://ai-sdk.dev/docs/ai-sdk-core/telemetry. Detects: ``ai.operationId``. Only
``….doGenerate`` and ``….doStream`` are calls to a model; the span around them sums its steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from otel_arthur.genai.bag import Bag, number
from otel_arthur.genai.call import Usage
from otel_arthur.genai.dialect import Conversation, Dialect
from otel_arthur.genai.dialects import semconv
from otel_arthur.genai.messages.message import input_messages, output_choices
from otel_arthur.genai.span import SpanView
from otel_arthur.genai.usage import inclusive

KEYS: Mapping[str, tuple[str, ...]] = {
    **semconv.KEYS,
    "provider": ("gen_ai.provider.name",),
    "request_model": ("gen_ai.request.model", "ai.model.id"),
    "response_model": ("gen_ai.response.model", "ai.response.model"),
    "response_id": ("gen_ai.response.id", "ai.response.id"),
    "temperature": ("gen_ai.request.temperature", "ai.settings.temperature"),
    "top_p": ("gen_ai.request.top_p", "ai.settings.topP"),
    "max_tokens": ("gen_ai.request.max_tokens", "ai.settings.maxOutputTokens", "ai.settings.maxTokens"),
    "conversation_id": (
        *(f"ai.telemetry.metadata.{name}" for name in ("sessionId", "threadId", "conversationId")),
        "session.id",
    ),
    "user_id": ("ai.telemetry.metadata.userId", "user.id"),
    "usage.input": ("ai.usage.inputTokens", "ai.usage.promptTokens", "gen_ai.usage.input_tokens"),
    "usage.output": ("ai.usage.outputTokens", "ai.usage.completionTokens", "gen_ai.usage.output_tokens"),
    "usage.total": ("ai.usage.totalTokens",),
    "usage.cached": ("ai.usage.inputTokenDetails.cacheReadTokens", "ai.usage.cachedInputTokens"),
    "usage.cache_write": ("ai.usage.inputTokenDetails.cacheWriteTokens",),
    "usage.reasoning": ("ai.usage.outputTokenDetails.reasoningTokens", "ai.usage.reasoningTokens"),
}


def _operation(view: SpanView) -> str | None:
    operation = view.attributes.get("ai.operationId")
    is_call = isinstance(operation, str) and operation.endswith((".doGenerate", ".doStream"))
    return "chat" if is_call else None


def _derived(bag: Bag) -> dict[str, tuple[Any, str]]:
    found: dict[str, tuple[Any, str]] = {}
    key = "ai.response.msToFirstChunk"
    milliseconds = number(bag.attributes.get(key))
    if milliseconds is not None:
        found["time_to_first_token"] = (milliseconds / 1000, key)
    provider = bag.attributes.get("ai.model.provider")
    if isinstance(provider, str):
        # The API follows: openai.chat, openai.responses, amazon-bedrock.
        found["provider"] = (provider.partition(".")[0], "ai.model.provider")
    return found


def _conversation(bag: Bag) -> Conversation:
    messages = input_messages(bag.take_json("messages", ("ai.prompt.messages", "ai.prompt")))
    words = bag.take(
        "choices", ("ai.response.text", "ai.response.object", "ai.result.text", "ai.result.object")
    )
    tools = bag.take_json("tool_calls", ("ai.response.toolCalls", "ai.result.toolCalls"))
    reasoning = bag.take("reasoning", ("ai.response.reasoning",))
    reason = bag.take("finish_reasons", ("ai.response.finishReason", "gen_ai.response.finish_reasons"))
    if words is None and tools is None:
        return Conversation(tuple(messages), ())
    answer = {"role": "assistant", "content": words, "tool_calls": tools, "reasoning_content": reasoning}
    return Conversation(tuple(messages), tuple(output_choices([answer], reason)))


def _usage(usage: Usage, _: Conversation, bag: Bag) -> Usage:
    """Up to version 5 counts are the provider's own: Anthropic's and Bedrock's exclude the cache."""
    provider = str(bag.attributes.get("ai.model.provider", ""))
    details = any(key.startswith("ai.usage.inputTokenDetails.") for key in bag.attributes)
    outside = not details and provider.startswith(("anthropic", "amazon-bedrock", "bedrock"))
    return inclusive(usage, cache_outside=outside)


DIALECT = Dialect(
    name="vercel-ai",
    reference="https://ai-sdk.dev/docs/ai-sdk-core/telemetry",
    marker="ai.operationId",
    operation=_operation,
    keys=KEYS,
    derived=_derived,
    conversation=_conversation,
    usage=_usage,
    content_switch="experimental_telemetry: { recordInputs: true, recordOutputs: true }",
)
