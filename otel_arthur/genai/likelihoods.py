"""Token likelihoods and time to first token, which no instrumentation records: our own attributes.

They are beside every dialect: written by `otel_arthur.sdk.likelihoods`, read here whatever the
dialect of the span. Values are native structures within a process, JSON text on a span.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from msgspec.structs import replace

from otel_arthur.genai.attributes import SpanAttributes
from otel_arthur.genai.call import Choice

LIKELIHOODS = "arthur.output.likelihoods"
"""For each choice a list, for each of its tokens a map of token -> probability, alternatives too."""
TOKENS = "arthur.output.tokens"
"""For each choice the list of its tokens."""
TIME_TO_FIRST_TOKEN = "arthur.time_to_first_token"
"""Seconds."""


def with_likelihoods(choices: tuple[Choice, ...], attributes: SpanAttributes) -> tuple[Choice, ...]:
    """The choices with the tokens and likelihoods that the span has for them."""
    if TOKENS not in attributes.attributes and LIKELIHOODS not in attributes.attributes:
        return choices
    tokens = _items(attributes.json(TOKENS))
    likelihoods = _items(attributes.json(LIKELIHOODS))
    return tuple(
        replace(
            choice,
            tokens=_tokens(tokens[index]) if index < len(tokens) else None,
            likelihoods=_likelihoods(likelihoods[index]) if index < len(likelihoods) else None,
        )
        for index, choice in enumerate(choices)
    )


def _items(value: Any) -> Sequence[Any]:
    return cast("Sequence[Any]", value) if isinstance(value, list | tuple) else ()


def _tokens(value: Any) -> tuple[str, ...] | None:
    tokens = tuple(token for token in _items(value) if isinstance(token, str))
    return tokens or None


def _likelihoods(value: Any) -> tuple[Mapping[str, float], ...] | None:
    maps: list[Mapping[str, float]] = []
    for item in _items(value):
        if not isinstance(item, Mapping):
            return None
        pairs = cast("Mapping[Any, Any]", item).items()
        maps.append({k: float(v) for k, v in pairs if isinstance(k, str) and isinstance(v, int | float)})
    return tuple(maps) or None
