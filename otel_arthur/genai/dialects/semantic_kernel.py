"""Semantic Kernel: one log record a message, whose body is the message as JSON text.

.NET writes events on the span instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from otel_arthur.genai.attributes import SpanAttributes, count
from otel_arthur.genai.dialects import semconv
from otel_arthur.genai.span import EventView
from otel_arthur.genai.tables.dialect import Dialect
from otel_arthur.genai.tables.event_words import ANSWER_EVENTS, QUESTION_EVENTS, choices_of, messages_of
from otel_arthur.genai.tables.places import joined
from otel_arthur.genai.tables.sources import Source


def _ordered(attributes: SpanAttributes) -> list[EventView]:
    """By the index that each record has; they may share one time."""
    return sorted(
        attributes.view.events, key=lambda event: count(event.attributes.get("CHAT_MESSAGE_INDEX")) or 0
    )


def _question(attributes: SpanAttributes) -> Sequence[Any]:
    return messages_of(attributes, _ordered(attributes))


def _answer(attributes: SpanAttributes) -> Sequence[Any]:
    return choices_of(attributes, _ordered(attributes))


DIALECT = Dialect(
    name="semantic-kernel",
    reference="https://learn.microsoft.com/semantic-kernel/concepts/enterprise-readiness/observability/",
    scopes=("semantic_kernel.", "Microsoft.SemanticKernel"),
    fields=joined(
        semconv.FIELDS,
        {
            "usage.input": ("gen_ai.response.prompt_tokens",),
            "usage.output": ("gen_ai.response.completion_tokens",),
        },
    ),
    question=(Source(_question, events=QUESTION_EVENTS),),
    answer=(Source(_answer, events=ANSWER_EVENTS),),
    reasons=("gen_ai.response.finish_reason",),
    emits_log_events=True,
    content_switch=(
        "SEMANTICKERNEL_EXPERIMENTAL_GENAI_ENABLE_OTEL_DIAGNOSTICS_SENSITIVE=true, "
        "and send its log records (OTEL_LOGS_EXPORTER=arthur)"
    ),
)
