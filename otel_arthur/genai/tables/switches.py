"""What turns content on, where it depends on the package that wrote a span: rows `content_switch`."""

from __future__ import annotations

from typing import Final

from otel_arthur.genai.span import SpanView

_CAPTURE: Final = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
_SPAN_ONLY: Final = f"{_CAPTURE}=span_only (the value true is not valid)"
_SWITCHES: Final = (
    ("gen_ai", "telemetry: { recordInputs: true, recordOutputs: true }"),  # Vercel's AI SDK from 7 on
    ("@traceloop/", "TRACELOOP_TRACE_CONTENT=true"),
    ("openlit", "capture_message_content=True in openlit.init"),
    # .NET: https://learn.microsoft.com/dotnet/api/microsoft.extensions.ai.opentelemetrychatclient
    ("Experimental.Microsoft.Extensions.AI", f"{_CAPTURE}=true"),
    (("opentelemetry.instrumentation.genai", "opentelemetry.instrumentation.google_genai"), _SPAN_ONLY),
    ("opentelemetry.instrumentation.", f"{_CAPTURE}=true"),
)
"""Beginnings of scopes -> switch; the first that fits."""


def by_scope(view: SpanView) -> str:
    """Of packages that write the conventions without a dialect of their own."""
    return next((switch for scope, switch in _SWITCHES if view.scope.startswith(scope)), _SPAN_ONLY)


def of_openinference(view: SpanView) -> str:
    """Its packages for JavaScript look at variables only where the code gives a `traceConfig`."""
    if view.scope.startswith("@"):
        return "hideInputs: false and hideOutputs: false in traceConfig"
    return "OPENINFERENCE_HIDE_INPUTS=false and OPENINFERENCE_HIDE_OUTPUTS=false"
