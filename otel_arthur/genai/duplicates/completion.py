"""The span that is recorded takes missing fields, but never words, from other spans of the same call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from msgspec.structs import replace

from otel_arthur.genai.call import Choice, LLMCall, Usage

_FIELDS = (
    *("response_id", "request_model", "provider", "temperature", "top_p", "max_tokens"),
    *("time_to_first_token", "conversation_id", "user_id"),
)
TAKEN: Final = (
    *("prompt_tokens", "completion_tokens", "total_tokens", "cached_tokens", "cache_write_tokens"),
    *("reasoning_tokens", "finish_reason", *_FIELDS),
)
"""The same as fields of the catalogue, for calls that are rows already."""


def completed(call: LLMCall, others: Sequence[LLMCall]) -> LLMCall:
    """`call` with its missing fields filled from `others`, which describe the same call; the first that has
    one wins.

    A failure that one of them saw counts. A writer that does not know the answering model repeats the
    requested model, so any other name is better.
    """
    for other in others:
        fields = {name: getattr(other, name) for name in _FIELDS if getattr(call, name) is None}
        failure: dict[str, object] = {}
        if other.failed:
            failure = {"error_message": call.error_message or other.error_message}
            failure |= {} if call.failed else {"failed": True, "error_type": other.error_type}
        call = replace(
            call,
            usage=_usage(call.usage, other.usage),
            choices=_choices(call.choices, other.choices),
            response_model=_model(call.response_model, call.request_model, other.response_model),
            **fields,
            **failure,
        )
    return call


def _model(own: str | None, asked: str | None, other: str | None) -> str | None:
    return other or own if own is None or own == asked else own


def _usage(own: Usage, other: Usage) -> Usage:
    names = Usage.__struct_fields__
    return Usage(*[getattr(other if getattr(own, name) is None else own, name) for name in names])


def _choices(own: tuple[Choice, ...], others: tuple[Choice, ...]) -> tuple[Choice, ...]:
    if len(own) != len(others):
        return own
    return tuple(
        [
            choice if choice.finish_reason else replace(choice, finish_reason=other.finish_reason)
            for choice, other in zip(own, others, strict=True)
        ]
    )
