"""Pydantic AI: GenAI semantic conventions with counts of its own; at first, events in an attribute.

Reference: https://ai.pydantic.dev/logfire, ``pydantic_ai.models.instrumented``. Detects: its scope.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from otel_arthur.genai.bag import Bag
from otel_arthur.genai.dialect import Conversation, Dialect
from otel_arthur.genai.dialects import semconv, semconv_events
from otel_arthur.genai.span import EventView

KEYS: Mapping[str, tuple[str, ...]] = {
    **semconv.KEYS,
    "usage.cached": (*semconv.KEYS["usage.cached"], "gen_ai.usage.details.cache_read_tokens"),
    "usage.cache_write": (*semconv.KEYS["usage.cache_write"], "gen_ai.usage.details.cache_write_tokens"),
    "usage.reasoning": (*semconv.KEYS["usage.reasoning"], "gen_ai.usage.details.reasoning_tokens"),
}


def _conversation(bag: Bag) -> Conversation:
    told = semconv.conversation(bag)
    if told.messages or told.choices:
        return told
    events = bag.take_json("messages", ("events",))
    if not isinstance(events, list):
        return semconv_events.conversation(bag)
    bodies = [
        cast("Mapping[str, Any]", item) for item in cast("list[Any]", events) if isinstance(item, Mapping)
    ]
    views = [EventView(str(body.get("event.name")), 0, {}, _without_name(body)) for body in bodies]
    return semconv_events.conversation(Bag(bag.view._replace(events=views)))


def _without_name(body: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if not key.startswith(("event.", "gen_ai."))}


DIALECT = Dialect(
    name="pydantic-ai",
    reference="https://ai.pydantic.dev/logfire/",
    owns=lambda view: view.scope == "pydantic-ai",
    operation=semconv.operation,
    keys=KEYS,
    conversation=_conversation,
    content_switch="InstrumentationSettings(include_content=True)",
)
