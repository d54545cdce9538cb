"""Pydantic AI: GenAI semantic conventions with counts of its own; at first, events in an attribute."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from otel_arthur.genai.attributes import SpanAttributes, as_map
from otel_arthur.genai.call import Choice, Message
from otel_arthur.genai.dialects import semconv
from otel_arthur.genai.span import EventView
from otel_arthur.genai.tables.dialect import Dialect
from otel_arthur.genai.tables.event_words import choices_of, messages_of
from otel_arthur.genai.tables.places import place_of
from otel_arthur.genai.tables.sources import Source, answers_at, messages_at

_LIST = "events"


def _events(attributes: SpanAttributes) -> list[EventView]:
    listed = attributes.json(_LIST)
    bodies = [as_map(item) for item in cast("list[Any]", listed)] if isinstance(listed, list) else []
    return [EventView(str(body.get("event.name")), 0, {}, _without_name(body)) for body in bodies if body]


def _without_name(body: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if not key.startswith(("event.", "gen_ai."))}


def _halves(attributes: SpanAttributes) -> tuple[list[Message], list[Choice]]:
    events = _events(attributes)
    messages, choices = messages_of(attributes, events), choices_of(attributes, events)
    if choices:
        return messages, choices
    # The Responses API has no choices: the answer is what the model said last, an event for each item.
    end = len(messages)
    while end and messages[end - 1].role == "assistant":
        end -= 1
    parts = tuple([part for message in messages[end:] for part in message.parts])
    return messages[:end], [Choice(Message("assistant", parts))] if parts else []


def _question(attributes: SpanAttributes) -> Sequence[Message]:
    return attributes.once(_LIST, _halves)[0]


def _answer(attributes: SpanAttributes) -> Sequence[Choice]:
    return attributes.once(_LIST, _halves)[1]


LISTED_QUESTION = Source(_question, (place_of(_LIST),))
LISTED_ANSWER = Source(_answer, (place_of(_LIST),))
"""The two halves in a list of events in one attribute."""

DIALECT = Dialect(
    name="pydantic-ai",
    reference="https://ai.pydantic.dev/logfire/",
    scopes=("pydantic-ai",),
    fields=semconv.FIELDS,
    question=(messages_at("gen_ai.input.messages"), LISTED_QUESTION),
    answer=(answers_at("gen_ai.output.messages"), LISTED_ANSWER),
    content_switch="InstrumentationSettings(include_content=True)",
)
