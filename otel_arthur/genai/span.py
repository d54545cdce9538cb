"""`SpanView`: a finished span as a dialect reads it, wherever it came from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from msgspec import Struct

if TYPE_CHECKING:
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import ReadableSpan

STATUS_ERROR = 2
"""``Status.StatusCode.STATUS_CODE_ERROR`` in OTLP and `StatusCode.ERROR` in the SDK."""

SpanKey: TypeAlias = tuple[str, str]
"""Trace id and span id, in hexadecimal."""


class EventView(Struct, frozen=True):
    """A span event, or a log event that was joined to the span."""

    name: str
    time_ns: int
    attributes: Mapping[str, Any]
    body: Any = None


class SpanView(Struct, frozen=True):
    """The parts of a finished span that reading needs. Times are nanoseconds since the epoch."""

    trace_id: str
    span_id: str
    parent_span_id: str | None
    name: str
    scope: str
    scope_version: str
    start_ns: int
    end_ns: int
    status_code: int
    status_message: str
    attributes: Mapping[str, Any]
    """Values may be of any AnyValue type: text, numbers, bytes, nested lists and maps."""
    events: Sequence[EventView]
    resource: Mapping[str, Any]
    dropped_attributes: int


def attributes_of(span: ReadableSpan) -> Mapping[str, Any]:
    """The span's attributes as a plain dict where the SDK lets us have it.

    The public property wraps the SDK's own mapping twice, and a look-up through it costs ten
    times a dict's; every finished span of the application passes here.
    """
    plain = getattr(getattr(span, "_attributes", None), "_dict", None)
    return plain if type(plain) is dict else span.attributes or {}  # type: ignore[return-value]


def from_sdk(span: ReadableSpan, attributes: Mapping[str, Any]) -> SpanView:
    """View a finished span of the SDK; `attributes` as `attributes_of` gave them."""
    context = span.context
    parent = span.parent
    scope = span.instrumentation_scope
    start = span.start_time or 0
    status = span.status
    return SpanView(
        context.trace_id.to_bytes(16, "big").hex() if context else "0" * 32,
        context.span_id.to_bytes(8, "big").hex() if context else "0" * 16,
        parent.span_id.to_bytes(8, "big").hex() if parent else None,
        span.name,
        scope.name if scope else "",
        (scope.version or "") if scope else "",
        start,
        span.end_time or start,
        status.status_code.value,
        status.description or "",
        attributes,
        _events(span),
        _resource_attributes(span.resource),
        span.dropped_attributes,
    )


def _events(span: ReadableSpan) -> Sequence[EventView]:
    # Most spans have none: the SDK's own list tells, of which the public property makes a copy under a lock.
    own = getattr(span, "_events", None)
    if own is not None and not len(own):
        return ()
    return [EventView(event.name, event.timestamp, event.attributes or {}) for event in span.events]


def _resource_attributes(resource: Resource) -> Mapping[str, Any]:
    attributes = resource.attributes
    plain = getattr(attributes, "_dict", None)
    return plain if type(plain) is dict else attributes  # type: ignore[return-value]
