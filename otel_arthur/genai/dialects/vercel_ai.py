"""Vercel's AI SDK (``experimental_telemetry``): its ``ai.*`` attributes, GenAI ones beside.

Only ``….doGenerate`` and ``….doStream`` are calls to a model; the span around them sums its steps.
"""

from __future__ import annotations

from otel_arthur.genai import calls
from otel_arthur.genai.dialects import semconv
from otel_arthur.genai.tables.dialect import Dialect
from otel_arthur.genai.tables.places import beginning, joined, milliseconds, within
from otel_arthur.genai.tables.provider_fields import AI_SDK_COUNTS
from otel_arthur.genai.tables.sources import answer_of_pieces, question_at
from otel_arthur.genai.usage import of_ai_sdk

_METADATA, _USAGE = "ai.telemetry.metadata.", "ai.usage."


DIALECT = Dialect(
    name="vercel-ai",
    reference="https://ai-sdk.dev/docs/ai-sdk-core/telemetry",
    markers=("ai.operationId",),
    operation=calls.ending("ai.operationId", {".doGenerate": "chat", ".doStream": "chat"}),
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
            "usage.cached": (*(f"{_USAGE}inputTokenDetails.cacheReadTokens", f"{_USAGE}cachedInputTokens"),),
            "usage.cache_write": (f"{_USAGE}inputTokenDetails.cacheWriteTokens",),
            "usage.reasoning": (
                *(f"{_USAGE}outputTokenDetails.reasoningTokens", f"{_USAGE}reasoningTokens"),
            ),
        },
        within("ai.response.providerMetadata", AI_SDK_COUNTS),
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
    usage=of_ai_sdk,
    hides_answers=True,
    content_switch="experimental_telemetry: { recordInputs: true, recordOutputs: true }",
)
