"""Laminar: the conventions' attributes, messages as the provider has them, no operation's name."""

from __future__ import annotations

from typing import Any

from otel_arthur.genai import calls
from otel_arthur.genai.dialects import semconv
from otel_arthur.genai.span import SpanView
from otel_arthur.genai.tables.dialect import Dialect
from otel_arthur.genai.tables.places import Place


def _of_system(words: Any, view: SpanView) -> Any:
    """Of the Responses API the system prompt alone stands among numbered messages."""
    return words if view.attributes.get("gen_ai.prompt.0.role") == "system" else None


DIALECT = Dialect(
    name="laminar",
    reference="https://github.com/lmnr-ai/lmnr-python",
    markers=("lmnr.span.type",),
    operation=calls.kind_in("lmnr.span.type", {"llm": "chat"}, or_named=True),
    fields=semconv.FIELDS,
    system=(Place("gen_ai.prompt.0.content", convert=_of_system),),
    content_switch="LMNR_TRACE_CONTENT=true",
)
