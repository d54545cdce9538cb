"""LangSmith's SDK in OpenTelemetry mode: request and response as whole JSON texts; hidden ones are `{}`."""

from __future__ import annotations

from otel_arthur.genai import calls
from otel_arthur.genai.dialects import semconv
from otel_arthur.genai.tables.dialect import Dialect
from otel_arthur.genai.tables.places import Place, alone, converted, joined, matched, within
from otel_arthur.genai.tables.provider_fields import ANSWER, METADATA, PARAMETERS, below
from otel_arthur.genai.tables.sources import answer_at, question_at

_METADATA = "langsmith.metadata."
_INPUTS = {"usage.cached": ("cache_read",), "usage.cache_write": ("cache_creation",)}
_OUTPUTS = {"usage.reasoning": ("reasoning",)}
_HIDDEN = "langsmith.hidden"
"""What no model says: it stands for a hidden document, which LangSmith writes as an empty one."""


def _shown(written: str) -> Place:
    return converted(written, lambda value: _HIDDEN if value == "{}" else value)


DIALECT = Dialect(
    name="langsmith",
    reference="https://docs.langchain.com/langsmith/trace-with-opentelemetry",
    markers=("langsmith.span.kind",),
    operation=calls.kind_in("langsmith.span.kind", {"llm": "chat"}, or_named=True),
    fields=joined(
        below("langsmith.metadata", METADATA),
        semconv.FIELDS,
        {
            "temperature": (f"{_METADATA}ls_temperature",),
            "max_tokens": (f"{_METADATA}ls_max_tokens",),
            # The event's own type is always Exception: the real one begins the message.
            "error_type": (matched("@exception/exception.message", r"([A-Za-z_][\w.]{0,200})\("),),
        },
        within("gen_ai.usage.input_token_details", _INPUTS),
        within("gen_ai.usage.output_token_details", _OUTPUTS),
        within("gen_ai.prompt", PARAMETERS),
        within("gen_ai.completion", ANSWER),
    ),
    question=(question_at(_shown("gen_ai.prompt")),),
    answer=(answer_at(alone("gen_ai.completion", "output"), _shown("gen_ai.completion")),),
    hidden=_HIDDEN,
    content_switch="LANGSMITH_HIDE_INPUTS=false and LANGSMITH_HIDE_OUTPUTS=false",
)
