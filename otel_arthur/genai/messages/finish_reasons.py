"""Why a model stopped, in one spelling whatever the provider's: the table of `docs/reading.md`.

Sources: the API references of OpenAI, Anthropic, Gemini and Vertex, Bedrock (Converse, Titan, Cohere, AI21),
Azure AI Inference, Mistral, Cohere, Hugging Face TGI, watsonx, xAI, Ollama, vLLM, DeepSeek and Zhipu; and the
words of the AI SDK, Spring AI, LangChain4j, Genkit, AutoGen and Semantic Kernel.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from otel_arthur.genai.json_text import clean

COMMON = frozenset({"stop", "length", "content_filter", "tool_calls"})

SPELLINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "stop": (
        *(
            "stop",
            "stopped",
            "end",
            "end_turn",
            "stop_sequence",
            "stop_token",
            "stop_word",
            "eos",
            "eos_token",
        ),
        *(
            "end_of_text",
            "endoftext",
            "end_of_sequence",
            "end_of_turn",
            "complete",
            "completed",
            "finish",
            "finished",
        ),
        *("normal", "pause_turn", "success", "natural"),
    ),
    "length": (
        *(
            "length",
            "max_tokens",
            "max_token",
            "max_output_tokens",
            "max_completion_tokens",
            "max_new_tokens",
        ),
        *(
            "max_length",
            "max_len",
            "max_context",
            "max_output",
            "model_length",
            "token_limit",
            "length_limit",
        ),
        *("token_limit_reached", "context_length_exceeded", "model_context_window_exceeded", "error_limit"),
        *("max_context_length", "context_length", "context_window_exceeded", "limit", "truncated"),
    ),
    "content_filter": (
        *("content_filter", "content_filtered", "filtered", "safety", "image_safety", "refusal", "refused"),
        *("recitation", "image_recitation", "blocklist", "prohibited_content", "image_prohibited_content"),
        *("spii", "language", "model_armor", "guardrail_intervened", "guardrail", "blocked", "moderation"),
        *("error_toxic", "toxic", "sensitive", "block"),
    ),
    "tool_calls": (
        *("tool_calls", "tool_call", "tool_use", "tool", "tools", "tool_execution", "tools_calls"),
        *("function_call", "function_calls", "function", "requires_action"),
    ),
}
"""Common spelling -> the providers', in snake case; case and separators do not count."""

_NONE = frozenset(
    {"", "error", "unknown", "none", "null", "unspecified", "undefined", "finishreasonunspecified"}
)
"""No reasons: some write ``error`` on calls that succeeded, and a failure is told by the status."""
_BY_WORD = {
    spelling.replace("_", ""): common for common, spellings in SPELLINGS.items() for spelling in spellings
}
_OF_GEMINI = (None, "stop", "length", *["content_filter"] * 2, "other", *["content_filter"] * 4)
"""The numbers of Gemini's and Vertex's enum, which some write in place of its names."""
_CLASS = re.compile(r"(?:[A-Za-z_]\w*\.)+([A-Za-z_]\w*)")
_SEPARATORS = re.compile(r"[\s_-]+")
_REPEATED: Final = re.compile(r"([a-z]{2,40}?)\1+\Z")
"""LangChain adds up the words of a stream with several choices: ``stopstop``."""


def finish_reason_of(value: Any) -> str | None:
    """The common spelling of a finish reason: ``stop``, ``length``, ``content_filter``, ``tool_calls``.

    An unknown one is passed on in lower case. None where there is none.
    """
    if value.__class__ is str:
        return value if value in COMMON else _of_text(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return _of_text(str(value))
    return _of_text(value) if isinstance(value, str) else None


def _of_text(value: str) -> str | None:
    word = value.strip(" \t\n[]|<>\"'")
    if word.isdecimal() and len(word) < 3:
        return _OF_GEMINI[int(word)] if int(word) < len(_OF_GEMINI) else word
    named = _CLASS.match(word)
    word = clean(named[1] if named is not None else word).lower()
    squeezed = _SEPARATORS.sub("", word).removeprefix("finishreason").removeprefix("reason")
    if squeezed in _NONE:
        return None
    if squeezed not in _BY_WORD and (repeated := _REPEATED.match(squeezed)) is not None:
        squeezed = repeated[1]
    return _BY_WORD.get(squeezed) or word


def reason_beside(reasons: Any, index: int) -> str | None:
    """The reason of the answer at `index` where `reasons` stand beside: one for all answers, or one each."""
    if not isinstance(reasons, list | tuple):
        return finish_reason_of(reasons)
    several = cast("Sequence[Any]", reasons)
    return finish_reason_of(several[index] if index < len(several) else several[0]) if several else None
