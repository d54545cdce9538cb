"""Monocle: entities as numbered attributes, words and counts in three events.

Reference: https://github.com/monocle2ai/monocle. Detects: its scope, and ``span.type`` in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from otel_arthur.genai import calls
from otel_arthur.genai.attributes import SpanAttributes, as_map
from otel_arthur.genai.call import Choice, Message
from otel_arthur.genai.dialect import Dialect
from otel_arthur.genai.messages.message import input_messages, output_choices
from otel_arthur.genai.places import matched
from otel_arthur.genai.sources import Source

_META = "@metadata/"
_CALL = {"tool_id": "id", "tool_name": "name", "tool_arguments": "arguments"}


def _question(attributes: SpanAttributes) -> Sequence[Message]:
    """A list of texts, each the JSON of a map from role to words."""
    event = attributes.event("data.input")
    listed: Any = () if event is None else event.attributes.get("input", ())
    texts = cast("Sequence[Any]", listed) if isinstance(listed, list | tuple) else [listed]
    told = [as_map(item) for item in texts]
    attributes.sources["messages"] = "event data.input"
    return input_messages([{"role": role, "content": words} for each in told for role, words in each.items()])


def _answer(attributes: SpanAttributes) -> Sequence[Choice]:
    """The JSON of a map from role to words, or to the tools that are called."""
    event = attributes.event("data.output")
    response: Any = None if event is None else event.attributes.get("response")
    attributes.sources["choices"] = "event data.output"
    answers: list[dict[str, Any]] = []
    for role, words in as_map(response).items() or ([("assistant", response)] if response else []):
        if isinstance(words, list):
            asked = [as_map(item) for item in cast("list[Any]", words)]
            tools = [{_CALL.get(key, key): value for key, value in item.items()} for item in asked]
            answers.append({"role": role, "tool_calls": tools})
        else:
            answers.append({"role": role, "content": words})
    return output_choices(answers)


DIALECT = Dialect(
    name="monocle",
    reference="https://github.com/monocle2ai/monocle",
    scopes=("monocle",),
    hints=("entity.1.type", "span.type"),
    operation=calls.kind_in("span.type", {"inference": "chat", "inference.framework": "chat"}),
    fields={
        "provider": (matched("entity.1.type", r"inference\.(.+)"),),
        "request_model": ("entity.2.name",),
        "temperature": (f"{_META}temperature",),
        "usage.input": (f"{_META}prompt_tokens",),
        "usage.output": (f"{_META}completion_tokens",),
        "usage.total": (f"{_META}total_tokens",),
        "usage.cached": (f"{_META}cache_read_input_tokens",),
        "error_type": ("error.type",),
    },
    question=(Source(_question, events=frozenset({"data.input"})),),
    answer=(Source(_answer, events=frozenset({"data.output"})),),
    reasons=(f"{_META}finish_reason",),
    content_switch="",
    content_note="Monocle records it always",
)
