"""Messages spread over numbered attributes, a role and words each, read in one go.

As `schema_form` does for the conventions' JSON: what is not of this form to the letter is left to the reader
of any form. Which attributes hold what is worked out once for each set of names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from otel_arthur.genai.call import Choice, Message, TextPart
from otel_arthur.genai.json_text import clean
from otel_arthur.genai.messages.finish_reasons import finish_reason_of


class Usual(NamedTuple):
    """The form that a half of a conversation usually has."""

    source: str
    """Where it stands."""
    read: Callable[[Mapping[str, Any]], Sequence[Any] | None]
    """Reads it off a span's attributes; None where the half has another form, or a message says nothing."""
    words: Sequence[str] | None = None
    """The attributes that are the words, where nothing else is."""


_PIECES = {"role": "role", "content": "content", "message.role": "role", "message.content": "content"}
_ROLES = frozenset({"system", "user", "assistant"})


class _Item(NamedTuple):
    """The attributes of one message."""

    role: str
    content: str
    finish_reason: str | None = None


def messages(prefix: str, names: Sequence[str]) -> Usual | None:
    """Reads the messages under `prefix` of spans with these names; None where they are more than words."""
    items = _items(prefix, names)
    if items is None or any(item.finish_reason for item in items):
        return None

    def read(values: Mapping[str, Any]) -> list[Message] | None:
        return _messages(items, values)

    return Usual(f"{prefix}N", read, [item.content for item in items])


def choices(prefix: str, names: Sequence[str]) -> Usual | None:
    """As `messages`, for the one answer of a call."""
    items = _items(prefix, names)
    if items is None or len(items) != 1:
        return None
    reason = items[0].finish_reason

    def read(values: Mapping[str, Any]) -> list[Choice] | None:
        messages = _messages(items, values)
        if messages is None:
            return None
        return [Choice(messages[0], None if reason is None else finish_reason_of(values[reason]))]

    return Usual(f"{prefix}N", read, [item.content for item in items])


def _items(prefix: str, names: Sequence[str]) -> list[_Item] | None:
    found: dict[int, dict[str, str]] = {}
    for name in names:
        if name.startswith(prefix):
            number, _, piece = name[len(prefix) :].partition(".")
            if not number.isdecimal() or str(int(number[:9])) != number:
                return None
            found.setdefault(int(number), {})[piece] = name
    items: list[_Item] = []
    for number, pieces in sorted(found.items()):
        reason = pieces.pop("finish_reason", None)
        named = {_PIECES.get(piece, ""): name for piece, name in pieces.items()}
        is_message = len(pieces) == 2 and named.keys() == {"role", "content"}
        if not is_message or len({"message." in piece for piece in pieces}) > 1 or number != len(items):
            return None
        if reason is not None and "role" not in pieces:
            return None
        items.append(_Item(named["role"], named["content"], reason))
    return items or None


def _messages(items: Sequence[_Item], values: Mapping[str, Any]) -> list[Message] | None:
    """None where one is a tool's, or may be more than words."""
    found: list[Message] = []
    for place, content, _ in items:
        role, words = values[place], values[content]
        if words.__class__ is not str or not words or words[0] == "[" or role.__class__ is not str:
            return None
        if role not in _ROLES:
            return None
        found.append(Message(role, (TextPart(words if words.isascii() else clean(words)),)))
    return found
