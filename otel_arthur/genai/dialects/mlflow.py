"""MLflow Tracing in an application's own tracer provider: every attribute is JSON text."""

from __future__ import annotations

from otel_arthur.genai import calls
from otel_arthur.genai.dialects import semconv
from otel_arthur.genai.span import SpanView
from otel_arthur.genai.tables.dialect import Dialect
from otel_arthur.genai.tables.places import joined, unquoted, within
from otel_arthur.genai.tables.provider_fields import ANSWER, COUNTS, PARAMETERS
from otel_arthur.genai.tables.sources import answer_at, question_at

_IN, _OUT = "mlflow.spanInputs", "mlflow.spanOutputs"
_by_type = calls.kind_in("mlflow.spanType", {"llm": "chat", "chat_model": "chat"})


def _operation(view: SpanView) -> str | None:
    operation = _by_type(view)
    return "text_completion" if operation is not None and "prompt" in view.attributes else operation


DIALECT = Dialect(
    name="mlflow",
    reference="https://mlflow.org/docs/latest/genai/tracing/",
    markers=("mlflow.spanType",),
    operation=_operation,
    fields=joined(
        {
            "provider": (unquoted("mlflow.llm.provider"), unquoted("mlflow.message.format")),
            "response_model": (unquoted("mlflow.llm.model"),),
        },
        within("mlflow.chat.tokenUsage", COUNTS),
        within(_IN, PARAMETERS),
        within(_OUT, ANSWER),
        semconv.FIELDS,
    ),
    question=(question_at(_IN, encoded=True),),
    answer=(answer_at(_OUT, encoded=True),),
    first_token_event="mlflow.chunk.item.0",
    content_note="a span processor of mlflow.tracing.configure took inputs and outputs away",
)
