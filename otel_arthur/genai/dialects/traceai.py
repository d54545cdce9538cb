"""traceAI (Future AGI): OpenInference's flattened messages under the conventions' names."""

from __future__ import annotations

from otel_arthur.genai import calls
from otel_arthur.genai.dialects import semconv
from otel_arthur.genai.tables.dialect import Dialect
from otel_arthur.genai.tables.places import joined, within
from otel_arthur.genai.tables.provider_fields import PARAMETERS
from otel_arthur.genai.tables.sources import numbered_answers, numbered_messages

DIALECT = Dialect(
    name="traceai",
    reference="https://github.com/future-agi/traceAI",
    markers=("gen_ai.span.kind",),
    operation=calls.kind_in("gen_ai.span.kind", {"llm": "chat"}, or_named=True),
    fields=joined(semconv.FIELDS, within("gen_ai.request.parameters", PARAMETERS)),
    question=(numbered_messages("gen_ai.input.messages."),),
    answer=(numbered_answers("gen_ai.output.messages."),),
    hidden="__REDACTED__",
    hides_answers=True,
    content_switch="FI_HIDE_INPUTS=false and FI_HIDE_OUTPUTS=false",
)
