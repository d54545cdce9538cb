"""Mastra, its older spans over the AI SDK and its tracer's: a step of a model has the words.

Today a step holds the question, and ``model_inference`` in it the answer, the usage and the reason: two
records of one call, which become one as any two that one scope writes.
"""

from __future__ import annotations

from otel_arthur.genai import calls
from otel_arthur.genai.dialects import semconv
from otel_arthur.genai.span import SpanView
from otel_arthur.genai.tables.dialect import Dialect
from otel_arthur.genai.tables.places import beginning, joined, seconds_until, within
from otel_arthur.genai.tables.provider_fields import COUNTS, PARAMETERS, below
from otel_arthur.genai.tables.sources import answer_of_pieces, messages_at, question_at

_IN, _OUT = "mastra.model_step.input", "mastra.model_step.output"
_by_type = calls.kind_in("mastra.span.type", {"model_step": "chat", "model_inference": "chat"})


def _operation(view: SpanView) -> str | None:
    kind = view.attributes.get("mastra.span.type")
    if kind == "model_generation" and "gen_ai.output.messages" in view.attributes:
        # Of an older exporter, which wrote no steps.
        return calls.operation(view)
    if kind is not None:
        return _by_type(view)
    return "chat" if "stream.prompt.messages" in view.attributes else None


DIALECT = Dialect(
    name="mastra",
    reference="https://mastra.ai/docs/observability/tracing/overview",
    markers=("mastra.span.type", "aisdk.model.id"),
    operation=_operation,
    failure={"gen_ai.response.finish_reasons": '["error"]'},
    fields=joined(
        {
            "provider": (beginning("gen_ai.provider.name", "."), beginning("aisdk.model.provider", ".")),
            "response_id": ("mastra.metadata.body#id",),
            "time_to_first_token": (seconds_until("mastra.completion_start_time"),),
            "request_model": ("gen_ai.request.model", "aisdk.model.id", f"{_IN}#body.model", f"{_IN}#model"),
            "conversation_id": ("mastra.metadata.threadId", "mastra.threadId"),
            "user_id": ("mastra.metadata.userId", "mastra.metadata.resourceId"),
        },
        semconv.FIELDS,
        below("stream.usage", COUNTS),
        within(_OUT, COUNTS, under="usage"),
        within(_IN, PARAMETERS, under="body"),
    ),
    question=(
        messages_at("gen_ai.input.messages"),
        question_at(f"{_IN}#body", _IN, "stream.prompt.messages"),
    ),
    answer=(
        answer_of_pieces(
            content=(f"{_OUT}#text", "stream.response.text"),
            tool_calls=(f"{_OUT}#toolCalls", "stream.response.toolCalls"),
            reasoning_content=(f"{_OUT}#reasoningText",),
        ),
    ),
    reasons=(f"{_OUT}#finishReason", "stream.response.finishReason"),
    content_note="Mastra records it, unless a span processor takes it away",
)
