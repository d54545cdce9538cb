"""Spans of a recording as the SDK hands them to an exporter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from otel_arthur.genai.otlp.views import span_views
from otel_arthur.genai.span import SpanView


def readable_spans(request: Any) -> Iterator[ReadableSpan]:
    """The spans of an ``ExportTraceServiceRequest``."""
    return map(readable_span, span_views(request))


def readable_span(view: SpanView) -> ReadableSpan:
    """One span; a nested attribute stays nested."""
    parent = _context(view.trace_id, view.parent_span_id) if view.parent_span_id else None
    return ReadableSpan(
        view.name,
        _context(view.trace_id, view.span_id),
        parent,
        Resource(dict(view.resource)),
        dict(view.attributes),
        [Event(event.name, dict(event.attributes), event.time_ns) for event in view.events],
        kind=SpanKind.CLIENT,
        status=Status(StatusCode(view.status_code), view.status_message or None),
        start_time=view.start_ns,
        end_time=view.end_ns,
        instrumentation_scope=InstrumentationScope(view.scope, view.scope_version),
    )


def _context(trace_id: str, span_id: str) -> SpanContext:
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=False, trace_flags=TraceFlags(1))
