"""Messages exactly as the GenAI conventions' JSON schemas have them, decoded in one go.

Source: OpenTelemetry GenAI semantic conventions, "Input messages" and "Output messages" JSON schemas.
Nearly every message in a span is of this form, and to read it as one that may be of any form
(`messages`, `parts`) costs three times as much. What is not of this form to the letter is left to them.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from otel_arthur.genai.call import (
    Choice,
    Message,
    Part,
    ReasoningPart,
    TextPart,
    ToolCallPart,
    ToolResultPart,
)
from otel_arthur.genai.messages.content.tools import answer_text, parsed_arguments
from otel_arthur.genai.messages.finish_reasons import finish_reason_of
from otel_arthur.genai.messages.texts import MAX_PARTS


def messages(value: Any) -> list[Message] | None:
    """The messages of a JSON text; None where `value` is of another form in any place, or was cut, or where a
    message says nothing."""
    found = _decoded(value)
    if found is None:
        return None
    read: list[Message] = []
    for told in found:
        role, parts = told.role, told.parts
        if len(parts) == 1 and type(part := parts[0]) is TextPart and role != "tool":  # as nearly all are
            if not part.text or part.text[0] == "{":
                return None
            read.append(Message(role, (part,)))
        elif (message := _message(role, parts)) is None or not message.parts:
            return None
        elif role == "tool" and len(message.parts) > 1:
            read += [Message("tool", (part,)) for part in message.parts]
        else:
            read.append(message)
    return read


def choices(value: Any) -> list[Choice] | None:
    """As `messages`, for a model's answers."""
    found = _decoded(value)
    if found is None:
        return None
    read: list[Choice] = []
    for told in found:
        role, parts = told.role, told.parts
        if len(parts) == 1 and type(part := parts[0]) is TextPart and role != "tool":  # as above
            if not part.text or part.text[0] == "{":
                return None
            message = Message(role, (part,))
        elif (message := _message(role, parts)) is None:
            return None
        read.append(Choice(message, finish_reason_of(told.finish_reason)))
    return read


_Words: TypeAlias = Annotated[str, Meta(min_length=1)]


class _Reasoning(Struct, tag_field="type", tag="reasoning", gc=False):
    content: _Words
    # A part that has it is of another form.
    reasoningText: UnsetType = UNSET


class _ToolCall(Struct, tag_field="type", tag="tool_call", gc=False, forbid_unknown_fields=True):
    name: _Words
    id: str | None = None
    arguments: Any = None


class _ToolResult(Struct, tag_field="type", tag="tool_call_response", gc=False, forbid_unknown_fields=True):
    response: str
    id: str | None = None


_Part: TypeAlias = TextPart | _Reasoning | _ToolCall | _ToolResult


class _Message(Struct, gc=False, forbid_unknown_fields=True):
    role: Literal["system", "user", "assistant", "tool"]
    parts: Annotated[tuple[_Part, ...], Meta(max_length=MAX_PARTS)]
    finish_reason: str | None = None
    name: Any = None


_decode = msgspec.json.Decoder(Annotated[list[_Message], Meta(max_length=MAX_PARTS)]).decode


def _decoded(value: Any) -> list[_Message] | None:
    try:
        return _decode(value) if value.__class__ is str else None
    except (ValueError, RecursionError):
        return None


def _message(role: str, parts: tuple[_Part, ...]) -> Message | None:
    """None where a tool speaks otherwise than by results, or another gives results."""
    # A text that is empty, or may be a part that the writer turned into text, is of another form.
    if any(isinstance(part, TextPart) and part.text[:1] in ("", "{") for part in parts):
        return None
    read = tuple([_part(part) for part in parts])
    if any((part.__class__ is ToolResultPart) is not (role == "tool") for part in read):
        return None
    return Message(role, read)


def _part(part: _Part) -> Part:
    if isinstance(part, TextPart):
        return part
    if isinstance(part, _ToolCall):
        return ToolCallPart(part.id or None, part.name, parsed_arguments(part.arguments))
    if isinstance(part, _ToolResult):
        return ToolResultPart(part.id or None, answer_text(part.response))
    return ReasoningPart(part.content)
