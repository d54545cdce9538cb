"""LangSmith's SDK in OpenTelemetry mode: request and response as whole JSON texts.

Reference: https://docs.langchain.com/langsmith/trace-with-opentelemetry. Detects: ``langsmith.span.kind``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from otel_arthur.genai.bag import Bag, document
from otel_arthur.genai.dialect import Conversation, Dialect
from otel_arthur.genai.dialects import semconv
from otel_arthur.genai.messages.documents import (
    request_fields,
    request_messages,
    response_choices,
    response_fields,
)
from otel_arthur.genai.span import SpanView

_METADATA = "langsmith.metadata."

KEYS: Mapping[str, tuple[str, ...]] = {
    **semconv.KEYS,
    "temperature": ("gen_ai.request.temperature", f"{_METADATA}ls_temperature"),
    "max_tokens": ("gen_ai.request.max_tokens", f"{_METADATA}ls_max_tokens"),
    "conversation_id": (
        *(f"{_METADATA}{name}" for name in ("session_id", "conversation_id", "thread_id")),
        *semconv.KEYS["conversation_id"],
    ),
    "user_id": (f"{_METADATA}user_id", *semconv.KEYS["user_id"]),
}

_RAISED = re.compile(r"([A-Za-z_][\w.]{0,200})\(")

_DETAILS: Mapping[str, tuple[str, re.Pattern[str]]] = {
    "usage.cached": ("gen_ai.usage.input_token_details", re.compile(r"cache_read\W{1,4}(\d{1,12})\b")),
    "usage.cache_write": (
        "gen_ai.usage.input_token_details",
        re.compile(r"cache_creation\W{1,4}(\d{1,12})\b"),
    ),
    "usage.reasoning": ("gen_ai.usage.output_token_details", re.compile(r"reasoning\W{1,4}(\d{1,12})\b")),
}


def _operation(view: SpanView) -> str | None:
    if view.attributes.get("langsmith.span.kind") != "llm":
        return None
    return semconv.operation(view) or "chat"


def _derived(bag: Bag) -> dict[str, tuple[Any, str]]:
    """What the request and the response tell; parts of the counts in the text of a Python dict or of JSON."""
    prompt, completion = "gen_ai.prompt", "gen_ai.completion"
    asked, answered = document(bag.attributes.get(prompt)), document(bag.attributes.get(completion))
    found: dict[str, tuple[Any, str]] = {
        **{field: (value, prompt) for field, value in request_fields(asked).items()},
        **{field: (value, completion) for field, value in response_fields(answered).items()},
    }
    for field, (key, pattern) in _DETAILS.items():
        match = pattern.search(str(bag.attributes.get(key, "")))
        if match is not None:
            found[field] = (int(match[1]), key)
    for event in bag.view.events:
        # The event's own type is always Exception: the real one begins the message.
        raised = _RAISED.match(str(event.attributes.get("exception.message", "")))
        if event.name == "exception" and raised is not None:
            found["error_type"] = (raised[1], "event exception")
    return found


def _conversation(bag: Bag) -> Conversation:
    asked = bag.take_json("messages", ("gen_ai.prompt",))
    answered = bag.take_json("choices", ("gen_ai.completion",))
    reason = bag.take("finish_reasons", semconv.FINISH_REASONS)
    if isinstance(reason, list | tuple) and reason:
        reason = cast("list[Any]", reason)[0]
    choices = response_choices(answered, reason) if answered is not None else []
    return Conversation(tuple(request_messages(asked)), tuple(choices))


DIALECT = Dialect(
    name="langsmith",
    reference="https://docs.langchain.com/langsmith/trace-with-opentelemetry",
    marker="langsmith.span.kind",
    operation=_operation,
    keys=KEYS,
    derived=_derived,
    conversation=_conversation,
    content_switch="LANGSMITH_HIDE_INPUTS=false and LANGSMITH_HIDE_OUTPUTS=false",
)
