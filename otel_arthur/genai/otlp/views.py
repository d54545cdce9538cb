"""OTLP spans of protobuf as span views.

Source: opentelemetry-proto, ``trace/v1/trace.proto`` and ``common/v1/common.proto``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from otel_arthur.genai.span import NO_KIN, REMOTE_PARENT, EventView, SpanView, is_remote, period

_MAX_DEPTH = 64


def span_views(request: ExportTraceServiceRequest) -> Iterator[SpanView]:
    """All spans of a request in order, with their scope and resource."""
    for resource_spans in request.resource_spans:
        resource = attribute_map(resource_spans.resource.attributes)
        for scope_spans in resource_spans.scope_spans:
            scope = scope_spans.scope
            for span in scope_spans.spans:
                yield span_view(span, scope.name, scope.version, resource)


def span_view(span: Span, scope: str, scope_version: str, resource: Mapping[str, Any]) -> SpanView:
    """One protobuf span as a view."""
    return SpanView(
        span.trace_id.hex(),
        span.span_id.hex(),
        span.parent_span_id.hex() or None,
        span.name,
        scope,
        scope_version,
        *period(span.start_time_unix_nano, span.end_time_unix_nano),
        span.status.code,
        span.status.message,
        attribute_map(span.attributes),
        [EventView(e.name, e.time_unix_nano, attribute_map(e.attributes)) for e in span.events],
        resource,
        span.dropped_attributes_count,
        REMOTE_PARENT if is_parent_remote(span) else NO_KIN,
    )


def is_parent_remote(span: Span) -> bool:
    """Whether the parent is in another process."""
    return bool(span.parent_span_id) and is_remote(span.flags, span.kind)


def attribute_map(attributes: Iterable[KeyValue]) -> dict[str, Any]:
    """Key-value pairs as a dict of Python values; a later key wins, and one without a value is absent."""
    return {pair.key: value for pair in attributes if (value := any_value(pair.value)) is not None}


def any_value(value: AnyValue, depth: int = 0) -> Any:
    """An ``AnyValue`` as text, bool, int, float, bytes, list, dict or None."""
    kind = value.WhichOneof("value")
    if kind is None or depth > _MAX_DEPTH:
        return None
    if kind == "array_value":
        return [any_value(item, depth + 1) for item in value.array_value.values]
    if kind == "kvlist_value":
        return {pair.key: any_value(pair.value, depth + 1) for pair in value.kvlist_value.values}
    return getattr(value, kind)
