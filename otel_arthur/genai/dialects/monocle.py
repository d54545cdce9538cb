"""Monocle: entities as numbered attributes, words and counts in three events."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

from otel_arthur.genai import calls
from otel_arthur.genai.attributes import SpanAttributes, as_map
from otel_arthur.genai.call import Choice, Message
from otel_arthur.genai.calls import has_failed
from otel_arthur.genai.messages.message import input_messages, output_choices
from otel_arthur.genai.tables.dialect import Dialect
from otel_arthur.genai.tables.places import matched
from otel_arthur.genai.tables.sources import Source

_META = "@metadata/"
_CALL = {"tool_id": "id", "tool_name": "name", "tool_function": "name", "tool_arguments": "arguments"}


def _question(attributes: SpanAttributes) -> Sequence[Message]:
    """A list of texts, each the JSON of a map from role to words."""
    event = attributes.event("data.input")
    listed: Any = () if event is None else event.attributes.get("input", ())
    texts = cast("Sequence[Any]", listed) if isinstance(listed, list | tuple) else [listed]
    told = [as_map(item) for item in texts]
    attributes.sources["messages"] = "event data.input"
    return input_messages([_message(role, words) for each in told for role, words in each.items()])


def _answer(attributes: SpanAttributes) -> Sequence[Choice]:
    """The JSON of a map from role to words; of a call that failed, the error."""
    event = None if has_failed(attributes.view) else attributes.event("data.output")
    response: Any = None if event is None else event.attributes.get("response")
    attributes.sources["choices"] = "event data.output"
    said = as_map(response) or ({"assistant": response} if response else {})
    return output_choices([_message(role, words) for role, words in said.items()])


def _message(role: str, words: Any) -> dict[str, Any]:
    """Words, or a list of the tools that are called."""
    if not isinstance(words, list):
        return {"role": role, "content": words}
    tools = [as_map(item) for item in cast("list[Any]", words)]
    return {"role": role, "tool_calls": [{_CALL.get(k, k): v for k, v in tool.items()} for tool in tools]}


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
    content_note="Monocle records it always",
)
