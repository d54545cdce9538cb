"""Strands Agents: events for messages, in the older form or in one event each for input and output.

Reference: https://strandsagents.com, "Traces". Detects: its scope. Its counts are the provider's:
Bedrock's exclude cache reads and writes, OpenAI's include them, and the total tells.
"""

from __future__ import annotations

from otel_arthur.genai.dialect import Dialect
from otel_arthur.genai.dialects import semconv
from otel_arthur.genai.places import joined, milliseconds

DIALECT = Dialect(
    name="strands",
    reference="https://strandsagents.com/latest/documentation/docs/user-guide/observability-evaluation/traces/",
    scopes=("strands.",),
    fields=joined(
        {"time_to_first_token": (milliseconds("gen_ai.server.time_to_first_token"),)},
        # Not the provider: what the conventions keep for it names the framework.
        {**semconv.FIELDS, "provider": ()},
    ),
    content_switch="a version of strands-agents that records messages; it has no switch",
)
