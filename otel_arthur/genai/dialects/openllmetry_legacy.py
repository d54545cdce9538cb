"""OpenLLMetry (Traceloop) up to 0.54: one attribute for each piece of a message.

Reference: traceloop/openllmetry, ``opentelemetry-semantic-conventions-ai`` up to 0.4. Detects:
``llm.request.type`` or ``gen_ai.prompt.N.…`` / ``gen_ai.completion.N.…``; after an attribute limit
dropped the first, the completion and the counts, which are written last, are left.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from otel_arthur.genai.bag import Bag
from otel_arthur.genai.dialect import Conversation, Dialect
from otel_arthur.genai.dialects import openllmetry, semconv
from otel_arthur.genai.messages.indexed import has_any, items, starts_late, whole
from otel_arthur.genai.messages.json_text import parse_json
from otel_arthur.genai.messages.message import input_messages, output_choices
from otel_arthur.genai.span import SpanView

PROMPT, COMPLETION = "gen_ai.prompt.", "gen_ai.completion."

KEYS: Mapping[str, tuple[str, ...]] = {
    **openllmetry.KEYS,
    "usage.total": ("llm.usage.total_tokens", "gen_ai.usage.total_tokens"),
    "usage.cached": ("gen_ai.usage.cache_read_input_tokens",),
    "usage.cache_write": ("gen_ai.usage.cache_creation_input_tokens",),
    "usage.reasoning": ("llm.usage.reasoning_tokens", "gen_ai.usage.reasoning_tokens"),
    "top_p": ("gen_ai.request.top_p", "llm.top_p"),
}

_OPERATIONS = {"chat": "chat", "completion": "text_completion"}
_FIRST = frozenset(
    f"{prefix}0.{name}"
    for prefix in (PROMPT, COMPLETION)
    for name in ("role", "content", "finish_reason", "tool_calls.0.name")
)


def is_indexed(view: SpanView) -> bool:
    """Whether messages are spread over numbered attributes; every key is looked at only if some are gone."""
    attributes = view.attributes
    if not _FIRST.isdisjoint(attributes):
        return True
    return view.dropped_attributes > 0 and (has_any(attributes, COMPLETION) or has_any(attributes, PROMPT))


def _owns(view: SpanView) -> bool:
    return "llm.request.type" in view.attributes or is_indexed(view)


def _operation(view: SpanView) -> str | None:
    attributes = view.attributes
    if "traceloop.span.kind" in attributes:
        return None
    kind = attributes.get("llm.request.type")
    if kind is not None:
        return _OPERATIONS.get(kind) if isinstance(kind, str) else None
    operation = attributes.get("gen_ai.operation.name", "chat")
    if operation in ("chat", "llm_request"):
        return "text_completion" if view.name.endswith(".completion") else "chat"
    return operation if operation in ("text_completion", "generate_content") else None


def indexed_conversation(bag: Bag) -> Conversation:
    """Messages and choices from numbered attributes."""
    prompt = [_with_parts(item) for item in items(bag.attributes, PROMPT)]
    if starts_late(bag.attributes, PROMPT):
        bag.truncated = True
        prompt = whole(prompt)
    completion = [_with_parts(item) for item in items(bag.attributes, COMPLETION)]
    if prompt:
        bag.sources["messages"] = f"{PROMPT}N"
    if completion:
        bag.sources["choices"] = f"{COMPLETION}N"
    reasons = bag.take_json("finish_reasons", semconv.FINISH_REASONS)
    return Conversation(tuple(input_messages(prompt)), tuple(output_choices(completion, reasons)))


def _with_parts(item: Any) -> Any:
    """A message whose content is a list of parts as JSON text, as for images, with the list itself."""
    if not isinstance(item, Mapping):
        return item
    message = dict(cast("Mapping[str, Any]", item))
    content = message.get("content")
    if content is None and isinstance(message.get("user"), str):
        # The completion prompts of the OpenAI client.
        return {"role": "user", "content": message["user"]}
    if isinstance(content, str) and content.startswith("[{"):
        parts = parse_json(content)[0]
        if isinstance(parts, list) and all(
            isinstance(part, Mapping) and isinstance(cast("Mapping[str, Any]", part).get("type"), str)
            for part in cast("list[Any]", parts)
        ):
            message["content"] = parts
    return message


DIALECT = Dialect(
    name="openllmetry-legacy",
    reference="https://github.com/traceloop/openllmetry/tree/0.53.4",
    owns=_owns,
    operation=_operation,
    keys=KEYS,
    conversation=indexed_conversation,
    usage=openllmetry.per_call,
    first_token_event="llm.content.completion.chunk",
    content_switch=openllmetry.DIALECT.content_switch,
)
