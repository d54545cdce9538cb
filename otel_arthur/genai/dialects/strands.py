"""Strands Agents: events for messages, in the older form or in one event each for input and output.

Counts are the provider's: Bedrock's exclude cache reads and writes, OpenAI's do not; the total tells which.
"""

from __future__ import annotations

from otel_arthur.genai.dialects import semconv
from otel_arthur.genai.tables.dialect import Dialect
from otel_arthur.genai.tables.places import joined, milliseconds

DIALECT = Dialect(
    name="strands",
    reference="https://strandsagents.com/latest/documentation/docs/user-guide/observability-evaluation/traces/",
    scopes=("strands.",),
    fields=joined(
        {"time_to_first_token": (milliseconds("gen_ai.server.time_to_first_token"),)},
        # Not the provider: what the conventions keep for it names the framework.
        {**semconv.FIELDS, "provider": ()},
    ),
    emits_log_events=True,
    content_note=(
        "Strands has no switch: an older version records none, and on AgentCore messages are log records, "
        "which have to be sent too (OTEL_LOGS_EXPORTER=arthur)"
    ),
)
