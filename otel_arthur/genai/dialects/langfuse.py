"""Langfuse's own SDKs (v3 and later): observations as spans, fields as JSON text.

Reference: https://langfuse.com/integrations/native/opentelemetry. Detects: ``langfuse.observation.type``.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from otel_arthur.genai.bag import Bag, document
from otel_arthur.genai.call import Usage
from otel_arthur.genai.dialect import Conversation, Dialect
from otel_arthur.genai.messages.documents import request_messages, response_choices
from otel_arthur.genai.messages.json_text import parse_json
from otel_arthur.genai.span import SpanView
from otel_arthur.genai.usage import inclusive

_OBSERVATION = "langfuse.observation."

KEYS: Mapping[str, tuple[str, ...]] = {
    "response_model": (f"{_OBSERVATION}model.name", "gen_ai.response.model"),
    "request_model": ("gen_ai.request.model",),
    "provider": ("gen_ai.provider.name", "gen_ai.system"),
    "response_id": ("gen_ai.response.id",),
    "conversation_id": ("session.id", "langfuse.session.id"),
    "user_id": ("user.id", "langfuse.user.id"),
    "error_type": ("error.type",),
}

_COUNTS: Mapping[str, tuple[str, ...]] = {
    "usage.input": ("input", "prompt_tokens", "input_tokens", "inputTokens", "promptTokens"),
    "usage.output": ("output", "completion_tokens", "output_tokens", "outputTokens", "completionTokens"),
    "usage.total": ("total", "total_tokens", "totalTokens"),
    "usage.cached": ("input_cached_tokens", "input_cache_read", "cache_read_input_tokens", "cached_tokens"),
    "usage.cache_write": ("input_cache_creation", "cache_creation_input_tokens"),
    "usage.reasoning": ("output_reasoning_tokens", "output_reasoning", "reasoning_tokens"),
}
_DETAILS = (
    "prompt_tokens_details",
    "completion_tokens_details",
    "input_tokens_details",
    "output_tokens_details",
)
_PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "temperature": ("temperature",),
    "top_p": ("top_p", "topP"),
    "max_tokens": ("max_tokens", "maxTokens", "max_completion_tokens", "max_output_tokens"),
}


def _operation(view: SpanView) -> str | None:
    kind = view.attributes.get(f"{_OBSERVATION}type")
    return "chat" if kind == "generation" else None


def _derived(bag: Bag) -> dict[str, tuple[Any, str]]:
    found: dict[str, tuple[Any, str]] = {}
    usage_key, parameters_key = f"{_OBSERVATION}usage_details", f"{_OBSERVATION}model.parameters"
    usage = dict(document(bag.attributes.get(usage_key)))
    for name in _DETAILS:
        usage.update(document(usage.get(name)))
    for holder, fields, key in (
        (usage, _COUNTS, usage_key),
        (document(bag.attributes.get(parameters_key)), _PARAMETERS, parameters_key),
    ):
        for field, names in fields.items():
            value = next((holder[name] for name in names if holder.get(name) is not None), None)
            found[field] = (value, key)
    started_key = f"{_OBSERVATION}completion_start_time"
    found["time_to_first_token"] = (_seconds_until(bag, bag.attributes.get(started_key)), started_key)
    return found


def _seconds_until(bag: Bag, moment: Any) -> float | None:
    value = parse_json(moment.replace('"', ""))[0] if isinstance(moment, str) else None
    try:
        began = datetime.fromisoformat(str(value).replace("Z", "+00:00"))
        seconds = began.timestamp() - bag.view.start_ns / 1e9
    except (ValueError, OverflowError, OSError):
        return None
    return seconds if seconds >= 0 else None


def _conversation(bag: Bag) -> Conversation:
    asked = bag.take_json("messages", (f"{_OBSERVATION}input", "gen_ai.input.messages"))
    answered = bag.take_json("choices", (f"{_OBSERVATION}output", "gen_ai.output.messages"))
    reason = bag.take("finish_reasons", (f"{_OBSERVATION}metadata.finish_reason",))
    reason = reason.strip('"') if isinstance(reason, str) else None
    if _is_list_of_items(answered):
        answered = {"output": answered}
    choices = response_choices(answered, reason) if answered is not None else []
    return Conversation(tuple(request_messages(asked)), tuple(choices))


def _usage(usage: Usage, _: Conversation, bag: Bag) -> Usage:
    """Langfuse's own names count each part once, beside the others, and so does Anthropic's document."""
    counts = document(bag.attributes.get(f"{_OBSERVATION}usage_details"))
    sums_up = usage.total is not None and usage.total == (usage.input or 0) + (usage.output or 0)
    beside = not sums_up and "prompt_tokens" not in counts and "input_tokens_details" not in counts
    return inclusive(usage, cache_outside=beside, reasoning_outside=beside and "output" in counts)


def _is_list_of_items(value: Any) -> bool:
    """Whether it is the output of the Responses API, several items of one answer."""
    if not isinstance(value, list) or not value:
        return False
    items = cast("list[Any]", value)
    return all(document(item).get("type") in ("message", "function_call", "reasoning") for item in items)


DIALECT = Dialect(
    name="langfuse",
    reference="https://langfuse.com/integrations/native/opentelemetry",
    marker=f"{_OBSERVATION}type",
    operation=_operation,
    keys=KEYS,
    derived=_derived,
    conversation=_conversation,
    usage=_usage,
    content_switch="no mask, and capture_input=True and capture_output=True on @observe",
)
