"""Log probabilities in a LangChain result, as probabilities. Pure.

Source: chat models keep OpenAI's form in ``response_metadata["logprobs"]`` (``content``: token,
logprob, top_logprobs), completion models the legacy form in ``generation_info["logprobs"]``
(``tokens``, ``token_logprobs``, ``top_logprobs``).
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from otel_arthur.genai.likelihoods import LIKELIHOODS, TOKENS

if TYPE_CHECKING:
    from langchain_core.outputs import LLMResult

_Tokens: TypeAlias = "list[tuple[str, dict[str, float]]]"
"""Each token with the probabilities of itself and its alternatives."""


def likelihoods_of(result: LLMResult) -> dict[str, Any]:
    """The attributes `TOKENS` and `LIKELIHOODS` of a run's choices; empty when no choice has any."""
    choices = [_tokens_of(generation) for generation in (result.generations or [[]])[0]]
    if not any(choices):
        return {}
    return {
        TOKENS: [[token for token, _ in choice] for choice in choices],
        LIKELIHOODS: [[likelihoods for _, likelihoods in choice] for choice in choices],
    }


def is_token_event(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> bool:
    """Whether a streaming callback tells of a first word or tool call: its first chunk is often empty."""
    token = args[0] if args else kwargs.get("token", kwargs.get("event"))
    if isinstance(token, Mapping):
        return cast("Mapping[str, Any]", token).get("event") == "content-block-delta"
    message = getattr(kwargs.get("chunk"), "message", None)
    return bool(token or getattr(message, "tool_call_chunks", None))


def _tokens_of(generation: Any) -> _Tokens:
    metadata = getattr(getattr(generation, "message", None), "response_metadata", None)
    for holder in (metadata, getattr(generation, "generation_info", None)):
        if isinstance(holder, Mapping):
            logprobs = cast("Mapping[str, Any]", holder).get("logprobs")
            if isinstance(logprobs, Mapping) and (tokens := _tokens_in(cast("Mapping[str, Any]", logprobs))):
                return tokens
    return []


def _tokens_in(logprobs: Mapping[str, Any]) -> _Tokens:
    content = logprobs.get("content")
    if content:
        return [(str(entry["token"]), _from_chat(entry)) for entry in content]
    tokens = logprobs.get("tokens") or ()
    own = logprobs.get("token_logprobs") or ()
    others: Sequence[Mapping[str, Any] | None] = logprobs.get("top_logprobs") or [None] * len(tokens)
    return [
        (str(token), _probabilities([*(alternatives.items() if alternatives else ()), (token, logprob)]))
        for token, logprob, alternatives in zip(tokens, own, others, strict=False)
    ]


def _from_chat(entry: Mapping[str, Any]) -> dict[str, float]:
    alternatives = [(other["token"], other["logprob"]) for other in entry.get("top_logprobs") or ()]
    return _probabilities([*alternatives, (entry["token"], entry["logprob"])])


def _probabilities(logprobs: Iterable[tuple[Any, Any]]) -> dict[str, float]:
    """exp of each log probability; one that is missing or no number is left out."""
    return {
        str(token): math.exp(min(logprob, 0.0))
        for token, logprob in logprobs
        if isinstance(logprob, int | float) and not math.isnan(logprob)
    }
