"""OpenLIT's SDKs of today, in both languages: the conventions, beside names of its own.

Older SDKs have one scope and write words into events, which ``semconv_events`` reads.
"""

from __future__ import annotations

from typing import Any

from otel_arthur.genai.dialects import semconv
from otel_arthur.genai.span import SpanView
from otel_arthur.genai.tables.dialect import Dialect
from otel_arthur.genai.tables.places import Place, joined


def _of_stream(value: Any, view: SpanView) -> Any:
    """Of a call that was not streamed, OpenLIT writes its whole duration."""
    attributes = view.attributes
    is_stream = attributes.get("gen_ai.request.stream") or attributes.get("gen_ai.request.is_stream")
    return value if is_stream else None


def _switch(view: SpanView) -> str:
    if view.scope.startswith("@"):
        return "captureMessageContent: true in Openlit.init"
    return "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true"


DIALECT = Dialect(
    name="openlit",
    reference="https://docs.openlit.io/latest/sdk/overview",
    scopes=("openlit.instrumentation.", "@openlit/"),
    fields=joined(
        semconv.FIELDS,
        {
            "time_to_first_token": (Place("gen_ai.server.time_to_first_token", convert=_of_stream),),
            "user_id": ("gen_ai.request.user",),
        },
    ),
    content_switch=_switch,
)
