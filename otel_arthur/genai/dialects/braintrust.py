"""Braintrust's SDKs for Go, Java, Ruby and .NET: input, output, metadata and metrics as JSON.

Only some of them write a type. Without one, a model in the metadata makes a call.
"""

from __future__ import annotations

from otel_arthur.genai.attributes import as_map
from otel_arthur.genai.calls import IF_SAID
from otel_arthur.genai.dialects import semconv
from otel_arthur.genai.span import SpanView
from otel_arthur.genai.tables.dialect import Dialect
from otel_arthur.genai.tables.places import joined, within
from otel_arthur.genai.tables.provider_fields import PARAMETERS
from otel_arthur.genai.tables.sources import answer_at, question_at

_IN, _OUT = "braintrust.input_json", "braintrust.output_json"
_METADATA, _METRICS, _TYPE = "braintrust.metadata", "braintrust.metrics", "braintrust.span_attributes"
_COUNTS = {
    "usage.input": ("prompt_tokens",),
    "usage.output": ("completion_tokens",),
    "usage.total": ("tokens",),
    "usage.cached": ("prompt_cached_tokens",),
    "usage.cache_write": ("prompt_cache_creation_tokens",),
    "usage.reasoning": ("completion_reasoning_tokens",),
    "time_to_first_token": ("time_to_first_token",),
}


def _operation(view: SpanView) -> str | None:
    kind = as_map(view.attributes.get(_TYPE)).get("type")
    if kind is not None:
        return "chat" if kind == "llm" else None
    return IF_SAID if as_map(view.attributes.get(_METADATA)).get("model") else None


DIALECT = Dialect(
    name="braintrust",
    reference="https://www.braintrust.dev/docs/integrations/sdk-integrations/opentelemetry",
    markers=(_IN, _OUT, _TYPE),
    operation=_operation,
    fields=joined(
        {"provider": (f"{_METADATA}#provider",), "response_id": (f"{_METADATA}#id",)},
        within(_METADATA, PARAMETERS),
        within(_METRICS, _COUNTS),
        semconv.FIELDS,
    ),
    question=(question_at(_IN, encoded=True),),
    answer=(answer_at(_OUT, encoded=True),),
    reasons=(f"{_METADATA}#stop_reason", f"{_METADATA}#finish_reason"),
    content_note="Braintrust's SDKs record it always",
)
