"""Quarkus LangChain4j: the older conventions' names, the whole prompt as one text without roles.

No span of a call names its operation.
"""

from __future__ import annotations

from otel_arthur.genai import calls
from otel_arthur.genai.dialects import semconv
from otel_arthur.genai.span import SpanView
from otel_arthur.genai.tables.dialect import Dialect
from otel_arthur.genai.tables.sources import answer_at, question_at

_MODEL = "gen_ai.request.model"


def _operation(view: SpanView) -> str | None:
    return "chat" if view.name.startswith("completion ") else calls.operation(view)


DIALECT = Dialect(
    name="quarkus",
    reference="https://docs.quarkiverse.io/quarkus-langchain4j/dev/observability.html",
    scopes=("io.quarkus.opentelemetry",),
    owns=lambda view: _MODEL in view.attributes,
    operation=_operation,
    # Quarkus writes 0 where a request sets no top_p.
    fields={field: row for field, row in semconv.FIELDS.items() if field != "top_p"},
    question=(question_at("gen_ai.prompt"),),
    answer=(answer_at("gen_ai.completion"),),
    content_switch=(
        "quarkus.langchain4j.tracing.include-prompt=true and "
        "quarkus.langchain4j.tracing.include-completion=true"
    ),
)
