"""Logfire's own instrumentations of provider clients: semantic conventions, and before them the raw request.

A stream is two spans. The first ends when the first words come. The second, a log line and so a span of no
length, comes when the stream is over: it stands for the call.
"""

from __future__ import annotations

from typing import Any

from otel_arthur.genai import calls
from otel_arthur.genai.attributes import number
from otel_arthur.genai.dialects import pydantic_ai, semconv
from otel_arthur.genai.span import SpanView
from otel_arthur.genai.tables.dialect import Dialect
from otel_arthur.genai.tables.places import Place, joined, within
from otel_arthur.genai.tables.provider_fields import COUNTS, PARAMETERS
from otel_arthur.genai.tables.sources import answer_at, answers_at, messages_at, request_at
from otel_arthur.genai.usage import counted

_REQUEST, _RESPONSE = "request_data", "response_data"
_ANSWERS = (
    *("gen_ai.output.messages", "gen_ai.usage.output_tokens", "gen_ai.response.id"),
    *(_RESPONSE, "output", "response_id"),
)


def _operation(view: SpanView) -> str | None:
    attributes = view.attributes
    is_line = attributes.get("logfire.span_type") == "log"
    has_answer = not attributes.keys().isdisjoint(_ANSWERS)
    # The Agents SDK's failed calls have no operation.
    named = "gen_ai.operation.name" in attributes or "response_id" in attributes
    if not (is_line or _REQUEST in attributes or named):
        return None
    if not is_line and not has_answer and view.status_code == 0:
        return calls.IF_SAID  # The beginning of a stream has no answer; others may have theirs elsewhere.
    # Of version 1, the events of the first span are the question, those of the line have the answer.
    if is_line and not has_answer and "events" not in attributes:
        return None
    return calls.operation(view) if "gen_ai.operation.name" in attributes else "chat"


def _began(duration: Any, view: SpanView) -> int | None:
    """A line says how long the stream before it took."""
    if view.attributes.get("logfire.span_type") != "log":
        return None
    return view.start_ns - int((number(duration) or 0) * 1e9)


DIALECT = Dialect(
    name="logfire",
    reference="https://logfire.pydantic.dev/docs/integrations/llms/openai/",
    scopes=("logfire.",),
    operation=_operation,
    fields=joined(
        {"start_ns": (Place("duration", convert=_began),)},
        semconv.FIELDS,
        *(within(place, PARAMETERS) for place in (_REQUEST, "model_config", "model_settings")),
        within("gen_ai.usage.raw", COUNTS),
        within(_RESPONSE, COUNTS, under="usage"),
        within("usage", COUNTS),
        {"response_id": ("response_id", "output#0.output.0.provider_data.response_id")},
    ),
    question=(
        messages_at("gen_ai.input.messages"),
        pydantic_ai.LISTED_QUESTION,
        messages_at("input", "raw_input"),  # Of the Agents SDK; its request has the answer appended.
        request_at(_REQUEST),
    ),
    answer=(
        answer_at("output#0.output"),  # Of the Agents SDK, whose streams give one Responses object.
        answers_at("gen_ai.output.messages", "output"),
        pydantic_ai.LISTED_ANSWER,
        answer_at(f"{_RESPONSE}#combined_chunk_content", f"{_RESPONSE}#text", _RESPONSE),
    ),
    usage=counted,
    content_switch="scrubbing=False in logfire.configure, which scrubs messages",
)
