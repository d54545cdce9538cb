"""OpenLLMetry (Traceloop) from 0.55 on: GenAI semantic conventions with its own association properties."""

from __future__ import annotations

from otel_arthur.genai.dialects import semconv
from otel_arthur.genai.span import SpanView
from otel_arthur.genai.tables import operations
from otel_arthur.genai.tables.dialect import Dialect
from otel_arthur.genai.tables.places import joined, within
from otel_arthur.genai.tables.provider_fields import COUNTS, below
from otel_arthur.genai.tables.sources import answer_at, answers_at, messages_at, question_at
from otel_arthur.genai.usage import BEDROCK, of_openllmetry

_ENTITY = "traceloop.entity."
_RAW = {"response_id": ("id",), "response_model": ("model",), **below("usage", COUNTS)}
_ASSOCIATION = "traceloop.association.properties."

FIELDS = joined(
    {
        "conversation_id": (
            "gen_ai.conversation.id",
            *(f"{_ASSOCIATION}{name}" for name in ("thread_id", "session_id", "conversation_id")),
        ),
        "user_id": (f"{_ASSOCIATION}user_id", "gen_ai.user", "llm.user"),
    },
    semconv.FIELDS,
)

_VENDORS = frozenset(
    {
        *(
            "alephalpha",
            "anthropic",
            "bedrock",
            "cohere",
            "crewai",
            "google_generativeai",
            "groq",
            "haystack",
        ),
        *("langchain", "llamaindex", "mistralai", "ollama", "openai", "openai_agents", "replicate"),
        *("sagemaker", "together", "transformers", "vertexai", "voyageai", "watsonx", "writer"),
    }
)
_SCOPES = frozenset(
    f"opentelemetry.instrumentation.{vendor}{end}" for vendor in _VENDORS for end in ("", ".v0", ".v1")
) - {"opentelemetry.instrumentation.openai"}
"""OpenLLMetry's own for OpenAI ends with the version of its API; Elastic's package has the bare one, and the
official packages' scopes go on with ``genai.`` instead."""


def _owns(view: SpanView) -> bool:
    return view.scope in _SCOPES


DIALECT = Dialect(
    name="openllmetry",
    reference="https://github.com/traceloop/openllmetry",
    hints=(f"{_ENTITY}output",),
    owns=_owns,
    operation=operations.of_openllmetry,
    fields=joined(FIELDS, within(f"{_ENTITY}output", _RAW, under="raw")),
    question=(messages_at("gen_ai.input.messages"), question_at(f"{_ENTITY}input#args.0", f"{_ENTITY}input")),
    answer=(answers_at("gen_ai.output.messages"), answer_at(f"{_ENTITY}output")),
    reasons=(f"{_ENTITY}output#raw.choices.0.finish_reason",),
    usage=of_openllmetry,
    keeps_counts=lambda scope: scope != BEDROCK,
    first_token_event="gen_ai.content.completion.chunk",
    content_switch="TRACELOOP_TRACE_CONTENT=true",
)
