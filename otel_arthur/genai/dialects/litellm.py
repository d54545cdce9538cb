"""LiteLLM's OpenTelemetry callback: GenAI semantic conventions now, numbered attributes before.

Reference: https://docs.litellm.ai/docs/observability/opentelemetry_integration. Detects: its scope.
Its child ``raw_gen_ai_request`` repeats the provider's request for debugging and is no call.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import zip_longest
from typing import Any

from otel_arthur.genai.bag import Bag
from otel_arthur.genai.dialect import Conversation, Dialect
from otel_arthur.genai.dialects import openllmetry_legacy, semconv
from otel_arthur.genai.span import SpanView

KEYS: Mapping[str, tuple[str, ...]] = {
    **semconv.KEYS,
    "user_id": ("llm.user", "metadata.user_api_key_end_user_id", "metadata.user_api_key_user_id"),
    "usage.total": ("gen_ai.usage.total_tokens", "llm.usage.total_tokens"),
}

_USAGE = "metadata.usage_object"
_DETAILS: Mapping[str, re.Pattern[str]] = {
    # The text of a Python dict; the first of each name is OpenAI's.
    "usage.cached": re.compile(r"'cached_tokens': (\d{1,12})\b"),
    "usage.cache_write": re.compile(r"'cache_creation_(?:input_)?tokens': (\d{1,12})\b"),
    "usage.reasoning": re.compile(r"'reasoning_tokens': (\d{1,12})\b"),
}


def _operation(view: SpanView) -> str | None:
    if view.name == "raw_gen_ai_request":
        return None
    name = view.attributes.get("gen_ai.operation.name")
    if name in ("acompletion", "completion", None) and "llm.request.type" in view.attributes:
        kind = view.attributes["llm.request.type"]
        # LiteLLM's own name of a chat call is completion.
        return {"completion": "chat", "acompletion": "chat", "text_completion": "text_completion"}.get(
            str(kind)
        )
    return semconv.operation(view)


def _derived(bag: Bag) -> dict[str, tuple[Any, str]]:
    usage = bag.attributes.get(_USAGE)
    if not isinstance(usage, str):
        return {}
    found = {field: pattern.search(usage) for field, pattern in _DETAILS.items()}
    return {field: (int(match[1]), _USAGE) for field, match in found.items() if match is not None}


def _conversation(bag: Bag) -> Conversation:
    told = semconv.conversation(bag)
    indexed = openllmetry_legacy.indexed_conversation(bag)
    if not (told.messages or told.choices):
        return indexed
    # The messages leave out the tools that were called; the older attributes beside them do not.
    answers = [
        other if other is not None and not choice.message.parts and other.message.parts else choice
        for choice, other in zip_longest(told.choices, indexed.choices[: len(told.choices)])
    ]
    return Conversation(told.messages, tuple(answers))


DIALECT = Dialect(
    name="litellm",
    reference="https://docs.litellm.ai/docs/observability/opentelemetry_integration",
    marker="litellm.call_id",
    scopes=("litellm",),
    operation=_operation,
    keys=KEYS,
    derived=_derived,
    conversation=_conversation,
    content_switch=(
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=span_only "
        "and litellm.turn_off_message_logging = False"
    ),
)
