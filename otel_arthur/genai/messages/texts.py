"""Any value as text, and the forms that nearly all content has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias, cast

from otel_arthur.genai.call import TextPart
from otel_arthur.genai.json_text import clean, json_text

MAX_PARTS = 10_000
"""More messages than a model takes, more parts than a message has: a longer list is hostile.

Answers are not cut here but where the call is read, which counts them.
"""

Map: TypeAlias = Mapping[str, Any]


def result_text(value: Any) -> str:
    """A value as text: words as they are, a list of text parts joined, other structures as JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, list | tuple) and value:
        texts = [plain_words(item) for item in cast("Sequence[Any]", value)[:MAX_PARTS]]
        if all(text is not None for text in texts):
            return "".join(text for text in texts if text)
    return json_text(value)


def plain_words(item: Any) -> str | None:
    """The words of a part that has no other content, as tool results often are lists of them."""
    if not isinstance(item, Mapping):
        return None
    part = cast("Map", item)
    words = part.get("text", part.get("content"))
    return clean(words) if isinstance(words, str) and set(part) <= {"type", "text", "content", "id"} else None


def plain_texts(items: Any) -> tuple[TextPart, ...] | None:
    """A list of ``{"type": "text", "content": …}``, what nearly all content is, or None for any other.

    A text in braces may be a part that the writer turned into text, so it is left to the reader of any form.
    """
    parts: list[TextPart] = []
    item: Any
    for item in items[:MAX_PARTS]:
        if item.__class__ is not dict or item.get("type") != "text":
            return None
        words: Any = item.get("content")
        if words.__class__ is not str or words[:1] == "{":
            return None
        if words:
            parts.append(TextPart(words if words.isascii() else clean(words)))
    return tuple(parts)


def first(part: Map, keys: tuple[str, ...]) -> Any:
    """The first of `keys` that is there and says anything."""
    for key in keys:
        value = part.get(key)
        if value is not None and value != [] and value != {}:
            return value
    return None
