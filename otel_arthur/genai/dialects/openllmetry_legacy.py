"""OpenLLMetry (Traceloop) up to 0.54: one attribute for each piece of a message.

An attribute limit drops the type and the prompt first: the completion and the counts, written last, are left.
"""

from __future__ import annotations

from otel_arthur.genai.dialects import openllmetry
from otel_arthur.genai.messages.indexed import has_any
from otel_arthur.genai.span import SpanView
from otel_arthur.genai.tables.dialect import Dialect

_PROMPT, _COMPLETION = "gen_ai.prompt.", "gen_ai.completion."
_OPERATIONS = {"chat": "chat", "completion": "text_completion", "response": "chat"}
_FIRST = tuple(
    f"{prefix}0.{name}"
    for prefix in (_PROMPT, _COMPLETION)
    for name in ("role", "content", "finish_reason", "tool_calls.0.name")
)
_TYPES = ("llm.request.type", "gen_ai.request.type")


def _is_indexed(view: SpanView) -> bool:
    """Whether messages are spread over numbered attributes; every key is looked at only if some are gone."""
    attributes = view.attributes
    if any(key in attributes for key in _FIRST):
        return True
    return view.dropped_attributes > 0 and (has_any(attributes, _COMPLETION) or has_any(attributes, _PROMPT))


def _owns(view: SpanView) -> bool:
    return any(name in view.attributes for name in _TYPES) or _is_indexed(view)


def _operation(view: SpanView) -> str | None:
    attributes = view.attributes
    if "traceloop.span.kind" in attributes:
        return None
    for name in _TYPES:
        if name in attributes:
            return _OPERATIONS.get(attributes[name]) if isinstance(attributes[name], str) else None
    operation = attributes.get("gen_ai.operation.name", "chat")
    if operation in ("chat", "llm_request"):
        return "text_completion" if view.name.endswith(".completion") else "chat"
    return operation if operation in ("text_completion", "generate_content") else None


DIALECT = Dialect(
    name="openllmetry-legacy",
    reference="https://github.com/traceloop/openllmetry/tree/0.53.4",
    hints=_FIRST,
    owns=_owns,
    operation=_operation,
    fields=openllmetry.FIELDS,
    reasons=("llm.response.finish_reason", "llm.response.stop_reason"),
    usage=openllmetry.DIALECT.usage,
    keeps_counts=openllmetry.DIALECT.keeps_counts,
    first_token_event="llm.content.completion.chunk",
    content_switch=openllmetry.DIALECT.content_switch,
)
