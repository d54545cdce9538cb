"""What providers call the fields of a request, an answer and a usage, as paths into their JSON.

Source: the API references of OpenAI (chat completions, completions, responses), Anthropic (messages), Gemini
(`generateContent`) and Bedrock (converse); LangChain's `LLMResult`. Dialects that record such documents
take these tables with `places.within`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeAlias

Paths: TypeAlias = Mapping[str, tuple[str, ...]]

PARAMETERS: Final[Paths] = {
    "request_model": ("model", "model_name", "model_id"),
    "temperature": ("temperature",),
    "top_p": ("top_p", "topP"),
    "max_tokens": (
        *("max_tokens", "max_completion_tokens", "max_output_tokens", "maxTokens", "maxOutputTokens"),
    ),
    "user_id": ("user",),
    "choice_count": ("n",),
}
"""Of a request; Gemini keeps them under ``config``, others in a map of parameters."""

METADATA: Final[Paths] = {
    "user_id": ("user_id",),
    "conversation_id": ("session_id", "conversation_id", "thread_id"),
}
"""Of the metadata that an application gives to LangChain, as LangChain's documentation names them."""

COUNTS: Final[Paths] = {
    "usage.input": (
        *("prompt_tokens", "input_tokens", "promptTokenCount", "prompt_token_count", "inputTokens"),
        *("promptTokens", "input"),
    ),
    "usage.output": (
        *("completion_tokens", "output_tokens", "candidatesTokenCount", "candidates_token_count"),
        *("outputTokens", "completionTokens", "output"),
    ),
    "usage.total": ("total_tokens", "totalTokenCount", "total_token_count", "totalTokens", "total"),
    "usage.cached": (
        *("prompt_tokens_details.cached_tokens", "input_tokens_details.cached_tokens"),
        *("input_token_details.cache_read", "cache_read_input_tokens", "cachedContentTokenCount"),
        *("cached_content_token_count", "cacheReadInputTokens", "cachedInputTokens", "cached_tokens"),
        "prompt_cache_hit_tokens",
    ),
    "usage.cache_write": (
        *("input_token_details.cache_creation", "cache_creation_input_tokens", "cacheWriteInputTokens"),
        *("prompt_tokens_details.cache_creation_tokens", "prompt_tokens_details.cache_write_tokens"),
    ),
    "usage.reasoning": (
        *("completion_tokens_details.reasoning_tokens", "output_tokens_details.reasoning_tokens"),
        *("output_token_details.reasoning", "thoughtsTokenCount", "thoughts_token_count", "reasoning_tokens"),
        "reasoningTokens",
    ),
}
"""Of a usage."""

_LANGCHAIN = "generations.0.0.message.kwargs."
_KEPT = f"{_LANGCHAIN}response_metadata."


def below(start: str, paths: Paths) -> Paths:
    """The same fields where they stand deeper."""
    return {field: tuple([f"{start}.{path}" for path in row]) for field, row in paths.items()}


def _all(*tables: Paths) -> Paths:
    fields = dict.fromkeys([field for table in tables for field in table])
    return {field: tuple([path for table in tables for path in table.get(field, ())]) for field in fields}


AI_SDK_COUNTS: Final[Paths] = {
    "usage.cached": (
        *("anthropic.usage.cache_read_input_tokens", "anthropic.cacheReadInputTokens"),
        *("bedrock.usage.cacheReadInputTokens", "openai.cachedPromptTokens"),
        "google.usageMetadata.cachedContentTokenCount",
    ),
    "usage.cache_write": (
        *("anthropic.usage.cache_creation_input_tokens", "anthropic.cacheCreationInputTokens"),
        "bedrock.usage.cacheWriteInputTokens",
    ),
    "usage.reasoning": ("openai.reasoningTokens", "google.usageMetadata.thoughtsTokenCount"),
}
"""What providers add to an answer in Vercel's AI SDK, each under its name: ``providerMetadata``."""

ANSWER: Final[Paths] = _all(
    {
        "response_id": (f"{_KEPT}id", "llm_output.id", "id", "responseId"),
        "response_model": (
            *(f"{_KEPT}model_name", f"{_KEPT}model", "llm_output.model_name", "llm_output.model"),
            *("model", "model_name", "modelVersion"),
        ),
    },
    below(f"{_LANGCHAIN}usage_metadata", COUNTS),
    below(f"{_KEPT}token_usage", COUNTS),
    below("llm_output.token_usage", COUNTS),
    below("usage", COUNTS),
    below("usageMetadata", COUNTS),
    below("usage_metadata", COUNTS),
)
"""Of an answer, a provider's own or what LangChain keeps of one."""
