"""Counts of tokens that a dialect's writers add up or leave out in their own way: rows `usage`."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from otel_arthur.genai.attributes import SpanAttributes, as_map, count
from otel_arthur.genai.call import Usage
from otel_arthur.genai.tables.dialect import Conversation
from otel_arthur.genai.usage import inclusive

BEDROCK: Final = "opentelemetry.instrumentation.bedrock"


def of_ai_sdk(usage: Usage, _: Conversation, attributes: SpanAttributes) -> Usage:
    """Up to version 5 counts are the provider's own: Anthropic's and Bedrock's exclude the cache.

    Some versions between add it up, which the provider's own counts tell where they are recorded.
    """
    metadata = attributes.document("ai.response.providerMetadata")
    own = as_map(as_map(metadata.get("anthropic")).get("usage"))
    if count(own.get("input_tokens")) is not None:
        return inclusive(usage, cache_outside=usage.input == count(own["input_tokens"]))
    provider = str(attributes.get("ai.model.provider") or "")
    details = any(key.startswith("ai.usage.inputTokenDetails.") for key in attributes.attributes)
    outside = not details and provider.startswith(("anthropic", "amazon-bedrock", "bedrock"))
    return inclusive(usage, cache_outside=outside)


def of_openllmetry(usage: Usage, conversation: Conversation, attributes: SpanAttributes) -> Usage:
    """Undo LangChain's n-fold count: each choice repeats the call's usage, and all are summed.

    Bedrock's counts are its own, which exclude the cache, and their sum is the instrumentation's.
    """
    if attributes.view.scope == BEDROCK:
        return inclusive(usage, cache_outside=True)
    n = len(conversation.choices)
    if n < 2 or attributes.view.scope != "opentelemetry.instrumentation.langchain":
        return usage
    if any(count is not None and count % n for count in (usage.input, usage.output, usage.total)):
        return usage
    return replace(
        usage,
        input=_divided(usage.input, n),
        output=_divided(usage.output, n),
        total=_divided(usage.total, n),
        cached=_divided(usage.cached, n),
        cache_write=_divided(usage.cache_write, n),
        reasoning=_divided(usage.reasoning, n),
    )


def _divided(count: int | None, n: int) -> int | None:
    return None if count is None else count // n


def of_google_adk(usage: Usage, _: Conversation, attributes: SpanAttributes) -> Usage:
    """Undo the thoughts that ADK adds to the counts of LiteLLM's models, which include them."""
    model = attributes.get("gen_ai.request.model")
    of_litellm = isinstance(model, str) and model.startswith(("openai/", "azure/"))
    if not of_litellm or usage.output is None or not usage.reasoning or usage.total is not None:
        return usage
    return replace(usage, output=max(usage.output - usage.reasoning, usage.reasoning))
