"""Messages as the text of ``input_text`` and ``output_text``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from otel_arthur.genai.call import Message, TextPart, ToolCallPart
from otel_arthur.genai.json_text import json_text

_PREFIXES = {"assistant": "AI", "tool": "Tool"}


def transcript(messages: Sequence[Message]) -> str:
    """One message after another on new lines, as LangChain's ``get_buffer_string`` writes them.

    Source: ``langchain_core.messages.get_buffer_string`` (prefix format): ``System: …``,
    ``Human: …``, ``AI: …`` with the Python form of its tool calls right behind, ``Tool: …``;
    an unknown role stands as its own prefix. Arthur's callback handler sends this text.
    """
    return said(messages)[0]


def said(messages: Sequence[Message]) -> tuple[str, str | None, str | None]:
    """The transcript, the system instructions and the last words of a user, in one go."""
    lines: list[str] = []
    system: str | None = None
    asked: str | None = None
    for message in messages:
        role, parts = message.role, message.parts
        # Nearly all are one text: its look-up here costs a third.
        text = part.text if len(parts) == 1 and type(part := parts[0]) is TextPart else message.text
        if role == "user":
            asked = text
            lines.append(f"Human: {text}")
        elif role == "system":
            system = text if system is None else f"{system}\n{text}"
            lines.append(f"System: {text}")
        else:
            lines.append(_line(message))
    return "\n".join(lines), system, asked


def last_user_text(messages: Sequence[Message]) -> str | None:
    for message in reversed(messages):
        if message.role == "user":
            return message.text
    return None


def messages_json(messages: Sequence[Message]) -> str:
    """The messages as JSON text: a list of ``{"role", "content", "tool_calls"?}``."""
    return json_text([_as_json(message) for message in messages])


def tool_calls_json(message: Message) -> str | None:
    """The tool calls of an answer as JSON text: a list of ``{"id", "name", "arguments"}``.

    A tool that the provider runs has ``"type": "server_tool_call"`` besides, as the conventions call it.
    """
    calls = message.tool_calls
    return json_text([_call_json(call) for call in calls]) if calls else None


def answer(message: Message) -> str:
    """An answer's words, or its tool calls as JSON text where it has none."""
    return message.text or tool_calls_json(message) or ""


def _line(message: Message) -> str:
    line = f"{_PREFIXES.get(message.role, message.role)}: {message.text}"
    if message.role == "assistant" and (calls := message.tool_calls):
        line += str([_langchain_tool_call(call) for call in calls])
    return line


def _langchain_tool_call(call: ToolCallPart) -> dict[str, Any]:
    arguments: Any = {} if call.arguments is None else call.arguments
    return {"name": call.name, "args": arguments, "id": call.id, "type": "tool_call"}


def _as_json(message: Message) -> dict[str, Any]:
    entry: dict[str, Any] = {"role": message.role, "content": message.text}
    if calls := message.tool_calls:
        entry["tool_calls"] = [_call_json(call) for call in calls]
    return entry


def _call_json(call: ToolCallPart) -> dict[str, Any]:
    # No argument at all is a text, lest it be taken for arguments that were not recorded.
    arguments = "{}" if call.arguments == {} else call.arguments
    entry: dict[str, Any] = {"id": call.id, "name": call.name, "arguments": arguments}
    return {**entry, "type": "server_tool_call"} if call.by_provider else entry
