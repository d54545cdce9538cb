"""Messages that stand inside a text: their JSON, the JSON of tool calls, or lines that begin with a role."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

from otel_arthur.genai.json_text import parse_json
from otel_arthur.genai.messages.texts import Map

_ROLE = re.compile(r"^(system|user|assistant|tool|developer): ", re.MULTILINE)


def decoded(value: Any) -> Any:
    """The messages whose JSON a text is, or the value itself."""
    if not isinstance(value, str) or value[:1] not in ("{", "["):
        return value
    found: Any = parse_json(value)[0]
    items = cast("list[Any]", found) if isinstance(found, list) else [found]
    return cast("Any", found) if items and all(_has_role(item) for item in items) else value


def calls_as_text(content: Any) -> Any:
    """The content, or the tool calls whose JSON it is, as Koog writes them."""
    if not isinstance(content, str) or content[:2] != "[{":
        return content
    calls: Any = parse_json(content)[0]
    is_calls = isinstance(calls, list) and all(_is_call(call) for call in cast("list[Any]", calls))
    return cast("Any", calls) if is_calls else content


def role_lines(text: str) -> list[tuple[str, str]]:
    """Roles and words of a text of lines ``role: words``, as older OpenLIT writes a prompt; else nothing."""
    if _ROLE.match(text) is None or "user: " not in text:
        return []
    marks = list(_ROLE.finditer(text))
    ends = [*(mark.start() - 1 for mark in marks[1:]), len(text)]
    return [(mark[1], text[mark.end() : end]) for mark, end in zip(marks, ends, strict=True)]


def _has_role(item: Any) -> bool:
    return isinstance(item, Mapping) and "role" in item and len(cast("Map", item)) > 1


def _is_call(item: Any) -> bool:
    return (
        isinstance(item, Mapping) and "id" in item and isinstance(cast("Map", item).get("function"), Mapping)
    )
