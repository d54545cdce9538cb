"""Why a model stopped, in one spelling whatever the provider's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from otel_arthur.genai.messages.json_text import clean

_COMMON_REASONS = frozenset({"stop", "length", "content_filter", "tool_calls"})
_FINISH_REASONS = {
    "tool_call": "tool_calls",
    "tool_calls": "tool_calls",
    "tool_use": "tool_calls",
    "tool-calls": "tool_calls",
    "toolexecution": "tool_calls",
    "function_call": "tool_calls",
    "end_turn": "stop",
    "end": "stop",
    "stop_sequence": "stop",
    "completed": "stop",
    "complete": "stop",
    "finish_reason_stop": "stop",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "finish_reason_max_tokens": "length",
    "model_context_window_exceeded": "length",
    "safety": "content_filter",
    "content-filter": "content_filter",
    "content_filtered": "content_filter",
    "guardrail_intervened": "content_filter",
    "finish_reason_safety": "content_filter",
    "recitation": "content_filter",
    "blocklist": "content_filter",
    "prohibited_content": "content_filter",
}


def finish_reason_of(value: Any) -> str | None:
    """The common spelling of a finish reason: ``stop``, ``length``, ``content_filter``, ``tool_calls``.

    ``error`` is dropped: instrumentations write it on calls that succeeded (a Responses API
    call, a stream that the caller left), and a failure is told by the span's status.
    """
    if not isinstance(value, str) or not value:
        return None
    if value in _COMMON_REASONS:
        return value
    reason = value.lower().rpartition(".")[2]
    if reason in ("error", "unknown", "none", "null", "finish_reason_unspecified"):
        return None
    if reason in _COMMON_REASONS:
        return reason
    return _FINISH_REASONS.get(reason) or (reason if value.isupper() else clean(value))


def reasons_of(inside: Sequence[Any], beside: Any) -> list[str | None]:
    """The reason of each choice: its own, or one of those beside, which are one for all or one each.

    Where one of several says its own, an empty one is a piece of a stream, which had not ended.
    """
    own = [finish_reason_of(reason) for reason in inside]
    if beside is None:
        return own
    said = len(own) > 1 and any(own)
    return [
        reason if said and told == "" else reason_of_choice(reason, beside, index)
        for index, (told, reason) in enumerate(zip(inside, own, strict=True))
    ]


def reason_of_choice(inside: Any, beside: Any, index: int) -> str | None:
    """The reason of the choice at `index`, which it says itself or one of those beside does."""
    reason = finish_reason_of(inside)
    if reason is not None or beside is None:
        return reason
    if not isinstance(beside, list | tuple):
        return finish_reason_of(beside)
    several = cast("Sequence[Any]", beside)
    return finish_reason_of(several[index] if index < len(several) else several[0]) if several else None
