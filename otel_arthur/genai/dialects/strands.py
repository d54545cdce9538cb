"""Strands Agents: events for messages, in the older form or in one event each for input and output.

Reference: https://strandsagents.com, "Traces". Detects: its scope. Its counts are the provider's:
Bedrock's exclude cache reads and writes, OpenAI's include them, and the total tells.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from otel_arthur.genai.bag import Bag, number
from otel_arthur.genai.dialect import Conversation, Dialect
from otel_arthur.genai.dialects import semconv, semconv_events

KEYS: Mapping[str, tuple[str, ...]] = {
    # Not the provider: what the conventions keep for it names the framework.
    **{field: keys for field, keys in semconv.KEYS.items() if field != "provider"},
    "usage.cached": (*semconv.KEYS["usage.cached"], "gen_ai.usage.cache_read_input_tokens"),
    "usage.cache_write": (*semconv.KEYS["usage.cache_write"], "gen_ai.usage.cache_write_input_tokens"),
}


def _derived(bag: Bag) -> dict[str, tuple[Any, str]]:
    key = "gen_ai.server.time_to_first_token"
    milliseconds = number(bag.attributes.get(key))
    return {} if milliseconds is None else {"time_to_first_token": (milliseconds / 1000, key)}


def _conversation(bag: Bag) -> Conversation:
    told = semconv.conversation(bag)
    return told if told.messages or told.choices else semconv_events.conversation(bag)


DIALECT = Dialect(
    name="strands",
    reference="https://strandsagents.com/latest/documentation/docs/user-guide/observability-evaluation/traces/",
    scopes=("strands.",),
    operation=semconv.operation,
    keys=KEYS,
    derived=_derived,
    conversation=_conversation,
    content_switch="a version of strands-agents that records messages; it has no switch",
)
