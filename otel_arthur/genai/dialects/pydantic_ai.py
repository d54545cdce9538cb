"""Pydantic AI: GenAI semantic conventions with counts of its own; at first, events in an attribute.

Reference: https://ai.pydantic.dev/logfire, ``pydantic_ai.models.instrumented``. Detects: its scope.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from msgspec.structs import replace

from otel_arthur.genai.bag import Bag, document
from otel_arthur.genai.call import Choice
from otel_arthur.genai.dialect import Conversation, Dialect
from otel_arthur.genai.dialects import semconv, semconv_events
from otel_arthur.genai.span import EventView

KEYS: Mapping[str, tuple[str, ...]] = {
    **semconv.KEYS,
    "usage.cached": (*semconv.KEYS["usage.cached"], "gen_ai.usage.details.cache_read_tokens"),
    "usage.cache_write": (*semconv.KEYS["usage.cache_write"], "gen_ai.usage.details.cache_write_tokens"),
    "usage.reasoning": (*semconv.KEYS["usage.reasoning"], "gen_ai.usage.details.reasoning_tokens"),
}


def conversation(bag: Bag) -> Conversation:
    """As the conventions have it; before them, events of an older form as a list in one attribute."""
    told = semconv.conversation(bag)
    if told.messages or told.choices:
        return told
    listed = bag.take_json("messages", ("events",))
    if not isinstance(listed, list):
        return semconv_events.conversation(bag)
    events = [
        EventView(str(body.get("event.name")), 0, {}, _without_name(body))
        for item in cast("list[Any]", listed)
        if (body := document(item))
    ]
    told = semconv_events.conversation(Bag(replace(bag.view, events=events)))
    if not told.choices and told.messages and told.messages[-1].role == "assistant":
        # The Responses API has no choices: the answer is the last message.
        return Conversation(told.messages[:-1], (Choice(told.messages[-1]),))
    return told


def _without_name(body: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in body.items() if not key.startswith(("event.", "gen_ai."))}


DIALECT = Dialect(
    name="pydantic-ai",
    reference="https://ai.pydantic.dev/logfire/",
    scopes=("pydantic-ai",),
    operation=semconv.operation,
    keys=KEYS,
    conversation=conversation,
    content_switch="InstrumentationSettings(include_content=True)",
)
