"""LangWatch's SDKs in both languages: typed values as JSON."""

from __future__ import annotations

from typing import Any, cast

from otel_arthur.genai import calls
from otel_arthur.genai.attributes import as_map, number
from otel_arthur.genai.dialects import semconv
from otel_arthur.genai.span import SpanView
from otel_arthur.genai.tables.dialect import Dialect
from otel_arthur.genai.tables.places import Place, joined, matched, within
from otel_arthur.genai.tables.provider_fields import COUNTS, PARAMETERS
from otel_arthur.genai.tables.sources import answer_at, question_at

_IN, _OUT, _METRICS, _PARAMS = (f"langwatch.{name}" for name in ("input", "output", "metrics", "params"))


def _value(typed: Any, _: SpanView | None = None) -> Any:
    """What is in ``{"type": …, "value": …}``, or in a list of such values; a list of one is the one."""
    if isinstance(typed, list):
        values = [_value(one) for one in cast("list[Any]", typed)]
        return values[0] if len(values) == 1 else values
    value = as_map(typed)
    return _value(value["value"]) if set(value) == {"type", "value"} else typed


def _first_token(stamps: Any, _: SpanView) -> float | None:
    """Seconds between two times in milliseconds, which the SDK for Python writes."""
    began, first = number(as_map(stamps).get("started_at")), number(as_map(stamps).get("first_token_at"))
    return None if began is None or first is None else (first - began) / 1000


DIALECT = Dialect(
    name="langwatch",
    reference="https://docs.langwatch.ai/integration/opentelemetry/guide",
    markers=("langwatch.span.type",),
    operation=calls.kind_in("langwatch.span.type", {"llm": "chat"}),
    fields=joined(
        semconv.FIELDS,
        {
            # The SDK for Python puts it before the model's name.
            "provider": (matched("gen_ai.request.model", r"([^/]+)/"),),
            "time_to_first_token": (Place("langwatch.timestamps", (".",), convert=_first_token),),
            "conversation_id": ("langwatch.thread.id", "langwatch.metadata#thread_id"),
            "user_id": ("langwatch.user.id", "langwatch.metadata#user_id"),
        },
        within(_METRICS, COUNTS, under="value"),
        within(_METRICS, COUNTS),
        within(_PARAMS, PARAMETERS, under="value"),
        within(_PARAMS, PARAMETERS),
        within("langwatch.langchain.run.extra_params.invocation_params", PARAMETERS),
    ),
    question=(question_at(Place(_IN, (".",), convert=_value)),),
    answer=(answer_at(Place(_OUT, (".",), convert=_value)),),
    content_switch="capture_input and capture_output (dataCapture in JavaScript) to record both",
)
