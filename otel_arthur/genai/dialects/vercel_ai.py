"""Vercel's AI SDK (``experimental_telemetry``): its ``ai.*`` attributes, GenAI ones beside.

Reference: https://ai-sdk.dev/docs/ai-sdk-core/telemetry. Detects: ``ai.operationId``. Only
``….doGenerate`` and ``….doStream`` are calls to a model; the span around them sums its steps.
"""

from __future__ import annotations

from otel_arthur.genai.attributes import SpanAttributes, as_map, count
from otel_arthur.genai.call import Usage
from otel_arthur.genai.dialects import semconv
from otel_arthur.genai.span import SpanView
from otel_arthur.genai.tables.dialect import Conversation, Dialect
from otel_arthur.genai.tables.places import beginning, joined, milliseconds
from otel_arthur.genai.tables.sources import answer_of_pieces, question_at
from otel_arthur.genai.usage import inclusive

_METADATA, _USAGE, _PROVIDER = "ai.telemetry.metadata.", "ai.usage.", "ai.response.providerMetadata"


def _operation(view: SpanView) -> str | None:
    operation = view.attributes.get("ai.operationId")
    is_call = isinstance(operation, str) and operation.endswith((".doGenerate", ".doStream"))
    return "chat" if is_call else None


def _usage(usage: Usage, _: Conversation, attributes: SpanAttributes) -> Usage:
    """Up to version 5 counts are the provider's own: Anthropic's and Bedrock's exclude the cache.

    Some versions between add it up, which the provider's own counts tell where they are recorded.
    """
    own = as_map(as_map(attributes.document(_PROVIDER).get("anthropic")).get("usage"))
    if count(own.get("input_tokens")) is not None:
        return inclusive(usage, cache_outside=usage.input == count(own["input_tokens"]))
    provider = str(attributes.get("ai.model.provider") or "")
    details = any(key.startswith("ai.usage.inputTokenDetails.") for key in attributes.attributes)
    outside = not details and provider.startswith(("anthropic", "amazon-bedrock", "bedrock"))
    return inclusive(usage, cache_outside=outside)


DIALECT = Dialect(
    name="vercel-ai",
    reference="https://ai-sdk.dev/docs/ai-sdk-core/telemetry",
    markers=("ai.operationId",),
    operation=_operation,
    fields=joined(
        {
            # The API follows: openai.chat, openai.responses, amazon-bedrock.
            "provider": ("gen_ai.provider.name", beginning("ai.model.provider", ".")),
            "request_model": ("gen_ai.request.model", "ai.model.id"),
            "response_model": ("gen_ai.response.model", "ai.response.model"),
            "response_id": ("gen_ai.response.id", "ai.response.id"),
            "temperature": ("gen_ai.request.temperature", "ai.settings.temperature"),
            "top_p": ("gen_ai.request.top_p", "ai.settings.topP"),
            "max_tokens": (
                *("gen_ai.request.max_tokens", "ai.settings.maxOutputTokens", "ai.settings.maxTokens"),
            ),
            "conversation_id": tuple(
                f"{_METADATA}{name}" for name in ("sessionId", "threadId", "conversationId")
            ),
            "user_id": (f"{_METADATA}userId",),
            "time_to_first_token": (
                milliseconds("ai.response.msToFirstChunk"),
                milliseconds("ai.stream.msToFirstChunk"),
            ),
            "usage.input": (f"{_USAGE}inputTokens", f"{_USAGE}promptTokens"),
            "usage.output": (f"{_USAGE}outputTokens", f"{_USAGE}completionTokens"),
            "usage.total": (f"{_USAGE}totalTokens",),
            "usage.cached": (
                *(f"{_USAGE}inputTokenDetails.cacheReadTokens", f"{_USAGE}cachedInputTokens"),
                f"{_PROVIDER}#anthropic.usage.cache_read_input_tokens",
                f"{_PROVIDER}#anthropic.cacheReadInputTokens",
                f"{_PROVIDER}#bedrock.usage.cacheReadInputTokens",
                f"{_PROVIDER}#openai.cachedPromptTokens",
                f"{_PROVIDER}#google.usageMetadata.cachedContentTokenCount",
            ),
            "usage.cache_write": (
                f"{_USAGE}inputTokenDetails.cacheWriteTokens",
                f"{_PROVIDER}#anthropic.usage.cache_creation_input_tokens",
                f"{_PROVIDER}#anthropic.cacheCreationInputTokens",
                f"{_PROVIDER}#bedrock.usage.cacheWriteInputTokens",
            ),
            "usage.reasoning": (
                *(f"{_USAGE}outputTokenDetails.reasoningTokens", f"{_USAGE}reasoningTokens"),
                f"{_PROVIDER}#openai.reasoningTokens",
                f"{_PROVIDER}#google.usageMetadata.thoughtsTokenCount",
            ),
        },
        semconv.FIELDS,
    ),
    question=(question_at("ai.prompt.messages", "ai.prompt"),),
    answer=(
        answer_of_pieces(
            content=("ai.response.text", "ai.response.object", "ai.result.text", "ai.result.object"),
            tool_calls=("ai.response.toolCalls", "ai.result.toolCalls"),
            reasoning_content=("ai.response.reasoning",),
        ),
    ),
    reasons=("ai.response.finishReason",),
    usage=_usage,
    hides_answers=True,
    content_switch="experimental_telemetry: { recordInputs: true, recordOutputs: true }",
)
