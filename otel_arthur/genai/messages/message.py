"""Messages and choices, as any of the dialects write them, to ours.

Source: OpenTelemetry GenAI semantic conventions, "Input messages", "Output messages" and
"System instructions" JSON schemas; OpenAI's, Anthropic's and LangChain's own message objects,
which other dialects pass through. Values may be JSON text or native structures; whatever does not
fit is kept as text where it has any, and nothing raises.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from otel_arthur.genai.call import (
    Choice,
    Message,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from otel_arthur.genai.messages.finish_reasons import reason_of_choice
from otel_arthur.genai.messages.json_text import clean
from otel_arthur.genai.messages.parts import (
    MAX_PARTS,
    parts_of,
    plain_texts,
    tool_call_of,
)

_ROLES = {
    "human": "user",
    "ai": "assistant",
    "aimessagechunk": "assistant",
    "model": "assistant",
    "developer": "system",
    "function": "tool",
    "tool_result": "tool",
    # Of smolagents.
    "tool-call": "assistant",
    "tool-response": "tool",
}
_CLASSES = {"human", "ai", "system", "tool", "function", "aimessagechunk", "chat"}
"""Values of ``type`` that tell a LangChain message's role."""


def role_of(value: Any, default: str) -> str:
    """Our name for a role; `default` where there is none, or only ``unknown``."""
    if not isinstance(value, str):
        return default
    role = value.lower()
    if role in ("", "unknown"):
        return default
    return _ROLES.get(role) or clean(role)


def input_messages(value: Any) -> list[Message]:
    """A list of messages, one message, or the text of a prompt."""
    return [message_of(item, "user") for item in _listed(value)]


def system_instructions(value: Any) -> list[Message]:
    """``gen_ai.system_instructions``: a list of parts, or plain text."""
    parts = tuple(parts_of(value))
    return [Message("system", parts)] if parts else []


def output_choices(value: Any, finish_reasons: Any = None) -> list[Choice]:
    """One message a choice, with its finish reason inside or beside."""
    choices: list[Choice] = []
    for index, item in enumerate(_listed(value)):
        told = _reason_in(item) if isinstance(item, Mapping) else None
        reason = reason_of_choice(told, finish_reasons, index)
        choices.append(Choice(message_of(item, "assistant"), reason))
    return choices


def _reason_in(message: Any) -> Any:
    return message.get("finish_reason", message.get("finishReason"))


def message_of(item: Any, default_role: str) -> Message:
    """One message, whatever its form; text alone is said by `default_role`."""
    if type(item) is dict:
        plain = _plain_message(item)
        if plain is not None:
            return plain
    if not isinstance(item, Mapping):
        return Message(default_role, tuple(parts_of(item)))
    message, kind = _unwrapped(cast("Mapping[str, Any]", item))
    role = role_of(message.get("role", kind), default_role)
    parts = _parts_of_message(message)
    if parts and all(isinstance(part, ToolResultPart) for part in parts):
        role = "tool"
    elif role == "tool":
        parts = [_as_result(part, message) for part in parts]
    return Message(role, tuple(parts))


_PLAIN_ROLES = {"user": "user", "assistant": "assistant", "system": "system"}


def _plain_message(item: Any) -> Message | None:
    """A message of texts alone in the conventions' own form, which nearly all are, or None.

    The reading of any form costs five times as much, and every word of every prompt passes here.
    """
    role = item.get("role")
    role = _PLAIN_ROLES.get(role) if type(role) is str else None
    given: Any = item.get("parts")
    if role is None or given.__class__ is not list or "tool_calls" in item or "reasoning_content" in item:
        return None
    parts = plain_texts(given)
    return None if parts is None else Message(role, parts)


def _unwrapped(message: Mapping[str, Any]) -> tuple[Mapping[str, Any], Any]:
    """The message inside the wrappers of LangChain and others, and the role that its type tells."""
    kind = None
    for _ in range(3):
        if kind is None and isinstance(message.get("type"), str) and message["type"].lower() in _CLASSES:
            kind = message["type"]
        inner = None
        if "role" not in message and "parts" not in message:
            inner = message.get("message") or message.get("kwargs") or message.get("data")
        if not isinstance(inner, Mapping):
            break
        message = cast("Mapping[str, Any]", inner)
    return message, kind


def _parts_of_message(message: Mapping[str, Any]) -> list[Part]:
    parts: list[Part] = []
    reasoning = message.get("reasoning_content")
    if isinstance(reasoning, str) and reasoning:
        parts.append(ReasoningPart(clean(reasoning)))
    for key in ("parts", "contents", "content"):
        content = message.get(key)
        if content is not None:
            parts += parts_of(content)
            break
    refusal = message.get("refusal")
    if isinstance(refusal, str) and refusal:
        parts.append(TextPart(clean(refusal)))
    known = {part.id for part in parts if isinstance(part, ToolCallPart)}
    calls = _items(message.get("tool_calls", message.get("toolCalls")))
    if message.get("function_call"):
        calls.append(message["function_call"])
    for value in calls:
        call = tool_call_of(value)
        if call is not None and (call.id is None or call.id not in known):
            parts.append(call)
    return parts


def _as_result(part: Part, message: Mapping[str, Any]) -> Part:
    """In a tool's message, text is the tool's answer."""
    if not isinstance(part, TextPart):
        return part
    identity = message.get("tool_call_id", message.get("id"))
    return ToolResultPart(clean(identity) if isinstance(identity, str) else None, part.text)


def _listed(value: Any) -> Sequence[Any]:
    """The items of a value, to be looked at only: a list is not copied."""
    if (value.__class__ is list or value.__class__ is tuple) and len(value) <= MAX_PARTS:
        return cast("Sequence[Any]", value)
    return _items(value)


def _items(value: Any) -> list[Any]:
    if isinstance(value, list | tuple):
        return list(cast("Sequence[Any]", value)[:MAX_PARTS])
    return [] if value is None else [value]
