"""Langtrace: events of the older conventions, an operation named after the client's method."""

from __future__ import annotations

from typing import Any

from otel_arthur.genai import calls
from otel_arthur.genai.dialects import semconv
from otel_arthur.genai.span import SpanView
from otel_arthur.genai.tables.dialect import Dialect
from otel_arthur.genai.tables.places import converted, joined


def _operation(view: SpanView) -> str | None:
    is_response = view.attributes.get("gen_ai.operation.name") == "openai.responses.create"
    return "chat" if is_response else calls.operation(view)


def _lower(name: Any) -> str | None:
    return name.lower() if isinstance(name, str) else None


def _switch(view: SpanView) -> str:
    return "" if view.scope.startswith("@") else "TRACE_PROMPT_COMPLETION_DATA=true"


DIALECT = Dialect(
    name="langtrace",
    reference="https://github.com/Scale3-Labs/langtrace-python-sdk",
    markers=("langtrace.sdk.name",),
    scopes=("langtrace_python_sdk", "@langtrase/"),
    operation=_operation,
    # Only the SDK for Python names the provider apart.
    fields=joined(semconv.FIELDS, {"provider": (converted("langtrace.service.name", _lower),)}),
    system=("instructions",),
    # The instructions of a response stay where words are off.
    hides_answers=True,
    content_switch=_switch,
    content_note="the SDK for JavaScript has no switch that works",
)
