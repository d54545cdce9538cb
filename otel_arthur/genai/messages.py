"""Messages as the GenAI semantic conventions write them, to ours.

Source: OpenTelemetry GenAI semantic conventions, "Input messages", "Output messages" and
"System instructions" JSON schemas. Values may be JSON text or native structures; whatever
does not fit is kept as text where it has any, and never raises.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import orjson

from otel_arthur.genai.call import (
    Choice,
    MediaPart,
    Message,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from otel_arthur.genai.json_text import parse_json

MAX_MESSAGES = 10_000
"""More messages than a model takes; a longer list is hostile."""

_ROLES = {
    "human": "user",
    "ai": "assistant",
    "model": "assistant",
    "developer": "system",
    "function": "tool",
}

_FINISH_REASONS = {
    "tool_call": "tool_calls",
    "tool_use": "tool_calls",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "max_tokens": "length",
    "safety": "content_filter",
}


def role_of(value: Any, default: str) -> str:
    """Our name for a role; `default` where there is none, or only ``unknown``."""
    if not isinstance(value, str):
        return default
    role = value.lower()
    if role in ("", "unknown"):
        return default
    return _ROLES.get(role, role)


def finish_reason_of(value: Any) -> str | None:
    """The common spelling of a finish reason: ``stop``, ``length``, ``content_filter``, ``tool_calls``.

    ``error`` is dropped: instrumentations write it on calls that succeeded (a Responses API
    call, a stream that the caller left), and a failure is told by the span's status.
    """
    if not isinstance(value, str) or not value:
        return None
    reason = value.lower() if value.isupper() else value
    return None if reason == "error" else _FINISH_REASONS.get(reason, reason)


def input_messages(value: Any) -> list[Message]:
    """``gen_ai.input.messages``: a list of ``{"role", "parts": [...]}``."""
    return [_message(item, "user") for item in _items(value)]


def system_instructions(value: Any) -> list[Message]:
    """``gen_ai.system_instructions``: a list of parts, or plain text."""
    parts = tuple(parts_of(value))
    return [Message("system", parts)] if parts else []


def output_choices(value: Any, finish_reasons: Any) -> list[Choice]:
    """``gen_ai.output.messages``: one message a choice, with its finish reason inside or beside."""
    beside = _items(finish_reasons)
    choices: list[Choice] = []
    for index, item in enumerate(_items(value)):
        reason = None
        if isinstance(item, Mapping):
            reason = finish_reason_of(cast("Mapping[str, Any]", item).get("finish_reason"))
        if reason is None and beside:
            # Some write one reason for all choices, some one each.
            reason = finish_reason_of(beside[index] if index < len(beside) else beside[0])
        choices.append(Choice(_message(item, "assistant"), reason))
    return choices


def parts_of(value: Any) -> list[Part]:
    """Parts from a list of part objects, one such object, or plain text."""
    if value is None:
        return []
    if isinstance(value, str):
        return [TextPart(value)] if value else []
    return [part for item in _items(value) if (part := _part(item)) is not None]


def parsed_arguments(value: Any) -> Any:
    """Tool call arguments as a structure where they are JSON text."""
    return parse_json(value)[0] if isinstance(value, str) else value


def result_text(value: Any) -> str:
    """A tool's answer as text; structures become JSON."""
    if value is None:
        return ""
    return value if isinstance(value, str) else json_text(value)


def json_text(value: Any) -> str:
    """Compact JSON of any value that an attribute can hold; never raises."""
    try:
        return orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    except (TypeError, ValueError, RecursionError):
        return str(value)


def _items(value: Any) -> list[Any]:
    if isinstance(value, list | tuple):
        return list(cast("Sequence[Any]", value)[:MAX_MESSAGES])
    return [] if value is None else [value]


def _message(item: Any, default_role: str) -> Message:
    if not isinstance(item, Mapping):
        return Message(default_role, tuple(parts_of(item)))
    message = cast("Mapping[str, Any]", item)
    content = message.get("parts")
    if content is None:
        content = message.get("content")
    return Message(role_of(message.get("role"), default_role), tuple(parts_of(content)))


def _part(item: Any) -> Part | None:
    if not isinstance(item, Mapping):
        return TextPart(result_text(item)) if item is not None else None
    part = cast("Mapping[str, Any]", item)
    kind = part.get("type")
    if kind == "text":
        content = part.get("content")
        words = content if content is not None else part.get("text")
        return TextPart(result_text(words)) if words is not None else None
    if kind == "reasoning":
        return ReasoningPart(result_text(part.get("content")))
    if kind == "tool_call":
        identity = part.get("id")
        return ToolCallPart(
            identity if isinstance(identity, str) else None,
            result_text(part.get("name")),
            parsed_arguments(part.get("arguments")),
        )
    if kind == "tool_call_response":
        identity = part.get("id")
        answer = part.get("response", part.get("result"))
        return ToolResultPart(identity if isinstance(identity, str) else None, result_text(answer))
    if kind in ("uri", "blob", "file"):
        return _media(part)
    words = part.get("content", part.get("text"))
    return TextPart(result_text(words)) if words is not None else None


def _media(part: Mapping[str, Any]) -> MediaPart:
    modality = result_text(part.get("modality")) or "file"
    uri = part.get("uri")
    if isinstance(uri, str) and not uri.startswith("data:"):
        return MediaPart(modality, uri)
    if isinstance(uri, str):
        return MediaPart(modality, uri[5:].partition(",")[0].partition(";")[0])
    name = part.get("file_id") or part.get("mime_type")
    return MediaPart(modality, result_text(name))
