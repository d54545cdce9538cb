"""Semantic Kernel: one log record a message, whose body is the message as JSON text.

Reference: learn.microsoft.com, "Observability in Semantic Kernel". Detects: its scopes, of Python
(``semantic_kernel.…``) and .NET (``Microsoft.SemanticKernel…``), which writes events on the span.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from otel_arthur.genai.bag import Bag, count
from otel_arthur.genai.call import Choice, Message
from otel_arthur.genai.dialect import Conversation, Dialect
from otel_arthur.genai.dialects import semconv, semconv_events
from otel_arthur.genai.messages.finish_reasons import finish_reason_of
from otel_arthur.genai.messages.json_text import parse_json
from otel_arthur.genai.messages.message import message_of
from otel_arthur.genai.span import EventView

_ORDER = "CHAT_MESSAGE_INDEX"
_REASON = "gen_ai.response.finish_reason"
_PREFIX = "SEMANTICKERNEL_EXPERIMENTAL_GENAI_ENABLE_OTEL_DIAGNOSTICS_SENSITIVE=true"

KEYS: Mapping[str, tuple[str, ...]] = {
    **semconv.KEYS,
    "usage.input": (*semconv.KEYS["usage.input"], "gen_ai.response.prompt_tokens"),
    "usage.output": (*semconv.KEYS["usage.output"], "gen_ai.response.completion_tokens"),
}


def _conversation(bag: Bag) -> Conversation:
    """By the index that each record has; they may share one time. Else as any events."""
    messages: list[Message] = []
    choices: list[Choice] = []
    reason = finish_reason_of(_snake(bag.take("finish_reasons", (_REASON,))))
    for event in sorted(bag.view.events, key=_place):
        body = parse_json(event.body)[0] if isinstance(event.body, str) else None
        if not isinstance(body, Mapping):
            continue
        fields = cast("Mapping[str, Any]", body)
        if event.name == "gen_ai.choice":
            bag.sources["choices"] = "event gen_ai.choice"
            told = finish_reason_of(_snake(fields.get("finish_reason"))) or reason
            choices.append(Choice(message_of(fields.get("message", fields), "assistant"), told))
        else:
            bag.sources["messages"] = f"event {event.name}"
            messages.append(message_of(fields, "user"))
    if messages or choices:
        return Conversation(tuple(messages), tuple(choices))
    return semconv_events.conversation(bag)


def _place(event: EventView) -> int:
    return count(event.attributes.get(_ORDER)) or 0


def _snake(reason: Any) -> Any:
    """.NET writes ``ToolCalls`` and ``ContentFilter``."""
    spelled = {"toolcalls": "tool_calls", "contentfilter": "content_filter"}
    return spelled.get(reason.lower(), reason) if isinstance(reason, str) else reason


def _derived(bag: Bag) -> Mapping[str, tuple[Any, str]]:
    kind = bag.attributes.get("error.type")
    named = kind.removeprefix("<class '").removesuffix("'>") if isinstance(kind, str) else None
    return {"error_type": (named, "error.type")}


DIALECT = Dialect(
    name="semantic-kernel",
    reference="https://learn.microsoft.com/semantic-kernel/concepts/enterprise-readiness/observability/",
    scopes=("semantic_kernel.", "Microsoft.SemanticKernel"),
    operation=semconv.operation,
    keys={field: keys for field, keys in KEYS.items() if field != "error_type"},
    conversation=_conversation,
    derived=_derived,
    emits_log_events=True,
    content_switch=f"{_PREFIX}, and send its log records (OTEL_LOGS_EXPORTER=arthur)",
)
