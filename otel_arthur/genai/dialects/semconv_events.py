"""The GenAI semantic conventions of 2024 and 2025: messages in events, one each, or in one event of all.

Of the conventions from v1.27 to v1.36; ``gen_ai.prompt`` and ``gen_ai.completion`` came before them.
"""

from __future__ import annotations

from otel_arthur.genai.dialects import semconv
from otel_arthur.genai.span import SpanView
from otel_arthur.genai.tables.dialect import Dialect
from otel_arthur.genai.tables.event_words import ANSWER_EVENTS, QUESTION_EVENTS
from otel_arthur.genai.tables.switches import by_scope

_EVENTS = QUESTION_EVENTS | ANSWER_EVENTS


def _owns(view: SpanView) -> bool:
    attributes = view.attributes
    if "gen_ai.input.messages" in attributes or "gen_ai.output.messages" in attributes:
        return False
    if "gen_ai.prompt" in attributes or "gen_ai.completion" in attributes:
        return True
    return any(event.name in _EVENTS for event in view.events)


DIALECT = Dialect(
    name="semconv-events",
    reference="https://github.com/open-telemetry/semantic-conventions/blob/v1.36.0/docs/gen-ai/gen-ai-events.md",
    owns=_owns,
    fields=semconv.FIELDS,
    emits_log_events=True,
    content_switch=by_scope,
)
