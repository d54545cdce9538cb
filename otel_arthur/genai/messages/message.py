"""Messages and choices in any form that a dialect writes, as our own.

Source: OpenTelemetry GenAI semantic conventions, "Input messages", "Output messages" and
"System instructions" JSON schemas; OpenAI's, Anthropic's and LangChain's own message objects,
which other dialects pass through. A value may be JSON text or a native structure. What has no known
form is kept as text where it has any. Nothing raises.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from otel_arthur.genai.call import (
    Choice,
    Message,
    OtherPart,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from otel_arthur.genai.json_text import clean
from otel_arthur.genai.messages.content.media import media_of
from otel_arthur.genai.messages.content.parts import is_known, kind_of, parts_of
from otel_arthur.genai.messages.content.tools import is_definition, tool_call_of, with_calls
from otel_arthur.genai.messages.encoded import calls_as_text, decoded, role_lines
from otel_arthur.genai.messages.finish_reasons import finish_reason_of
from otel_arthur.genai.messages.texts import MAX_PARTS, Map, plain_texts

_ROLES = {
    "human": "user",
    "ai": "assistant",
    "aimessagechunk": "assistant",
    "humanmessagechunk": "user",
    "systemmessagechunk": "system",
    "toolmessagechunk": "tool",
    "model": "assistant",
    "developer": "system",
    "function": "tool",
    "tool_result": "tool",
    # Of smolagents.
    "tool-call": "assistant",
    "tool-response": "tool",
}
_CLASSES = {
    "human",
    "ai",
    "system",
    "tool",
    "function",
    "chat",
    *(name for name in _ROLES if "chunk" in name),
}
"""Values of ``type`` that tell a LangChain message's role."""
_REASONS = ("finish_reason", "finishReason", "stop_reason", "stopReason")


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
    if isinstance(value, str):
        told = decoded(value)
        if told is not value:
            return input_messages(told)
        lines = role_lines(value) or ([("user", value)] if value else [])
        return [Message(role_of(role, ""), (TextPart(clean(words)),)) for role, words in lines]
    messages: list[Message] = []
    for item in _listed(value):
        messages += messages_of(item, "user")
    return messages


def system_instructions(value: Any) -> list[Message]:
    """``gen_ai.system_instructions``: a list of parts, or plain text."""
    parts = tuple(parts_of(value))
    return [Message("system", parts)] if parts else []


def output_choices(value: Any) -> list[Choice]:
    """One message a choice, with the finish reason that it says itself."""
    listed = decoded(value)
    outputs = cast("Sequence[Any]", listed) if isinstance(listed, list | tuple) else _listed(listed)
    items = [decoded(item) for item in outputs]
    return [Choice(message_of(item, "assistant"), finish_reason_of(reason_in(item))) for item in items]


def reason_in(message: Any) -> Any:
    """The finish reason that a message or a choice says itself, under any of its names."""
    if not isinstance(message, Mapping):
        return None
    told: Any = None
    for key in _REASONS:
        told = told or cast("Map", message).get(key, told)
    return told


def messages_of(item: Any, default_role: str) -> list[Message]:
    """The messages of one item of the input, whatever its form: each tool's result is one of its own.

    The definition of a tool, which some writers put among the messages, is none. An item of the Responses API
    that says nothing is none either.
    """
    item = decoded(item)
    message = message_of(item, default_role)
    if not message.parts and message.role == "tool" and _is_definition(item):
        return []
    if len(message.parts) < 2 or message.role == "assistant":
        says_nothing = len(message.parts) == 1 and message.parts[0].__class__ is OtherPart
        return [] if says_nothing and isinstance(item, Mapping) and "role" not in item else [message]
    if not any(isinstance(part, ToolResultPart) for part in message.parts):
        return [message]
    apart: list[tuple[str, list[Part]]] = []
    for part in message.parts:
        role = "tool" if isinstance(part, ToolResultPart) else message.role
        goes_on = apart and (isinstance(part, OtherPart) or (role == apart[-1][0] and role != "tool"))
        if goes_on or (apart and message.role == "tool" and not isinstance(part, ToolResultPart)):
            apart[-1][1].append(part)
        else:
            apart.append((role, [part]))
    return [Message(role, tuple(parts)) for role, parts in apart]


def message_of(item: Any, default_role: str) -> Message:
    """One message, whatever its form; text alone is said by `default_role`."""
    if type(item) is dict:
        plain = _plain_message(item)
        if plain is not None:
            return plain
    if not isinstance(item, Mapping):
        return Message(default_role, tuple(parts_of(item)))
    message, kind = _unwrapped(cast("Map", item))
    parts = _parts_of_item(message) if kind is None and "role" not in message else None
    if parts is not None:
        role = "assistant" if any(isinstance(part, _OF_A_MODEL) for part in parts) else default_role
    else:
        role = role_of(message.get("role", kind), default_role)
        parts = _parts_of_message(message)
    if parts and role != "assistant" and all(isinstance(part, ToolResultPart) for part in parts):
        role = "tool"
    elif role == "tool":
        if parts and all(isinstance(part, ToolCallPart) for part in parts):
            # Koog writes what the model asked for under the tool's role.
            role = "assistant"
        else:
            parts = _as_result(parts, message)
    return Message(role, tuple(parts))


_OF_A_MODEL = (ToolCallPart, ReasoningPart)
_PLAIN_ROLES = {"user": "user", "assistant": "assistant", "system": "system"}


def _plain_message(item: Any) -> Message | None:
    """A message of texts alone in the conventions' own form, which nearly all are, or None.

    The reading of any form costs five times as much, and every word of every prompt passes here.
    """
    role = item.get("role")
    role = _PLAIN_ROLES.get(role) if type(role) is str else None
    given: Any = item.get("parts")
    if role is None or given.__class__ is not list or not _BESIDE_PARTS.isdisjoint(item):
        return None
    parts = plain_texts(given)
    return None if parts is None else Message(role, parts)


def _unwrapped(message: Map) -> tuple[Map, Any]:
    """The message inside the wrappers of LangChain and others, and the role that its type tells."""
    kind = None
    for _ in range(3):
        if kind is None:
            kind = _class_of(message)
        inner = None
        if "role" not in message and "parts" not in message:
            inner = message.get("message") or message.get("kwargs") or message.get("data")
        if not isinstance(inner, Mapping):
            break
        message = cast("Map", inner)
    return message, kind


def _class_of(message: Map) -> str | None:
    """The class of a LangChain message, which its type tells, or the last of its constructor's path."""
    kind = message.get("type")
    if kind == "constructor" and isinstance(message.get("id"), list) and message["id"]:
        kind = str(message["id"][-1]).lower().removesuffix("chunk").removesuffix("message")
    return kind if isinstance(kind, str) and kind.lower() in _CLASSES else None


_BESIDE_PARTS = frozenset(
    {
        *("reasoning_content", "reasoning", "refusal", "audio", "images"),
        *("tool_calls", "toolCalls", "function_call", "additional_kwargs"),
    }
)
"""What stands beside the content of a message and belongs to what it says."""
_CONTENTS = ("parts", "contents", "content", "blocks", "text", "completion")
_AROUND_ANSWER = frozenset({*_REASONS, "index", "id", "type", "name", "logprobs"})


def _parts_of_item(item: Map) -> list[Part] | None:
    """What an item without a role says, as the Responses API has them, or None where it is a message."""
    if not _BESIDE_PARTS.isdisjoint(item):
        return None
    kind = kind_of(item)
    if kind not in ("", "message") and is_known(kind):
        return parts_of([item])
    if any(key in item for key in _CONTENTS):
        return None
    return [] if item.keys() <= _AROUND_ANSWER else parts_of([item])


def _parts_of_message(message: Map) -> list[Part]:
    parts: list[Part] = []
    content = next((message[key] for key in _CONTENTS if message.get(key) is not None), None)
    if _BESIDE_PARTS.isdisjoint(message):
        return parts_of(calls_as_text(content))
    for key in ("reasoning_content", "reasoning"):
        reasoning = message.get(key)
        if isinstance(reasoning, str) and reasoning:
            parts.append(ReasoningPart(clean(reasoning)))
            break
    parts += parts_of(calls_as_text(content))
    refusal = message.get("refusal")
    if isinstance(refusal, str) and refusal:
        parts.append(TextPart(clean(refusal)))
    if isinstance(message.get("audio"), Mapping):
        parts.append(media_of({"type": "audio", **message["audio"]}))
    for image in _items(message.get("images")):
        if isinstance(image, Mapping):
            parts.append(media_of({"type": "image", **cast("Map", image)}))
    for holder in (message, message.get("additional_kwargs")):
        if isinstance(holder, Mapping):
            parts = with_calls(parts, _calls_in(cast("Map", holder)))
    return parts


def _calls_in(holder: Map) -> Iterator[ToolCallPart]:
    values = _items(holder.get("tool_calls") or holder.get("toolCalls"))
    for value in (*values, holder.get("function_call")):
        call = tool_call_of(value)
        if call is not None:
            yield call


def _as_result(parts: list[Part], message: Map) -> list[Part]:
    """In a tool's message, text is the tool's answer: one answer, however many texts it has."""
    texts = [part.text for part in parts if isinstance(part, TextPart)]
    if not texts:
        return parts
    called = message.get("tool_call_id", message.get("id"))
    result = ToolResultPart(clean(called) if isinstance(called, str) else None, "".join(texts))
    return [result, *(part for part in parts if not isinstance(part, TextPart))]


def _is_definition(item: Any) -> bool:
    """Whether a message holds nothing but what describes a tool."""
    content = cast("Map", item).get("content") if isinstance(item, Mapping) else None
    return isinstance(content, Mapping) and is_definition(cast("Map", content))


def _listed(value: Any) -> Sequence[Any]:
    """The items of a value, to be looked at only: a list is not copied."""
    if (value.__class__ is list or value.__class__ is tuple) and len(value) <= MAX_PARTS:
        return cast("Sequence[Any]", value)
    return _items(value)


def _items(value: Any) -> list[Any]:
    if isinstance(value, list | tuple):
        return list(cast("Sequence[Any]", value)[:MAX_PARTS])
    return [] if value is None else [value]
