"""A trace's spans as the tree that they are, for a page or a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from otel_arthur.genai.attributes import as_map
from otel_arthur.genai.messages.indexed import items
from otel_arthur.local.engine.traces import StoredSpan


@dataclass(frozen=True, slots=True)
class Said:
    """One message of a call."""

    role: str
    text: str
    is_answer: bool


@dataclass(frozen=True, slots=True)
class Branch:
    """A span, how deep it lies, and what was said in it."""

    depth: int
    span: StoredSpan
    said: Sequence[Said]


def tree_of(spans: Sequence[StoredSpan]) -> list[Branch]:
    """The spans from the root down, siblings by their start. A span whose parent is missing is a root too."""
    ids = {span.span_id for span in spans}
    below: dict[str | None, list[StoredSpan]] = {}
    for span in sorted(spans, key=lambda span: (span.start_ns, span.number)):
        parent = span.parent_span_id if span.parent_span_id in ids else None
        below.setdefault(parent, []).append(span)
    branches: list[Branch] = []
    waiting = [(0, span) for span in reversed(below.pop(None, []))]
    while waiting:
        depth, span = waiting.pop()
        branches.append(Branch(depth, span, _said(span.attributes)))
        waiting += [(depth + 1, child) for child in reversed(below.pop(span.span_id, []))]
    # A circle of parents has no root.
    branches += [Branch(0, span, _said(span.attributes)) for rest in below.values() for span in rest]
    return branches


def _said(attributes: Mapping[str, Any]) -> list[Said]:
    messages = [
        *((message, False) for message in items(attributes, "llm.input_messages.")),
        *((message, True) for message in items(attributes, "llm.output_messages.")),
    ]
    found = [_message(message, is_answer) for message, is_answer in messages]
    if found:
        return found
    texts = (("input", attributes.get("input.value")), ("output", attributes.get("output.value")))
    return [Said(name, str(text), name == "output") for name, text in texts if text]


def _message(item: Any, is_answer: bool) -> Said:
    message = as_map(as_map(item).get("message"))
    calls: list[Any] = message.get("tool_calls") or []
    words = [str(message["content"])] if message.get("content") else []
    return Said(str(message.get("role", "")), "\n".join([*words, *map(_function, calls)]), is_answer)


def _function(call: Any) -> str:
    function = as_map(as_map(as_map(call).get("tool_call")).get("function"))
    return f"{function.get('name')}({function.get('arguments', '')})"
