"""What we know of the SDK's insides, and what is done where they are gone: nothing else looks inside.

Read from opentelemetry-sdk 1.39.0 and 1.45.2 (``trace/__init__.py``, ``_shared_internal/__init__.py``);
`tests/sdk/test_inside_the_sdk.py` runs on both, and with each part removed.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter

from otel_arthur.genai.span import NO_KIN, REMOTE_PARENT, STATUS_ERROR, EventView, SpanView, period
from otel_arthur.genai.steps.step import Frame

_PROCESSOR_THREADS = ("OtelBatchSpanRecordProcessor",)
"""``BatchProcessor.__init__`` and ``_at_fork_reinit``: a daemon thread that runs the method ``worker``."""
_DRAIN_SECONDS = 5.0
"""A batch processor that is shut down hands over what it holds in far less, also on a busy machine."""
_POLL_SECONDS = 0.005


def export_what_is_queued(exporter: SpanExporter) -> bool:
    """Have the batch processors of `exporter` export what they hold; whether any was found.

    One that is being shut down does so itself, and is waited for. Fallback: none is found, and the caller
    asks the global tracer provider.
    """
    found = False
    for thread, processor in _processors_of(exporter):
        found = True
        if not getattr(processor, "_shutdown", False):
            processor.force_flush()
            continue
        # Not by `join`: of a thread whose join Ctrl-C broke off, Python 3.11 believes that it has ended.
        deadline = time.monotonic() + _DRAIN_SECONDS
        while thread in threading.enumerate() and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
    return found


def _processors_of(exporter: SpanExporter) -> Iterator[tuple[threading.Thread, Any]]:
    for thread in threading.enumerate():
        if thread.name in _PROCESSOR_THREADS:
            processor = getattr(getattr(thread, "_target", None), "__self__", None)
            if getattr(processor, "_exporter", None) is exporter:
                yield thread, processor


def is_force_flush() -> bool:
    """Whether the batch processor exports because somebody called ``force_flush``.

    The processor hands its exporter no flag, and does not call the exporter's own
    ``force_flush`` (opentelemetry-python#4568), but its frames tell: ``force_flush`` is at most four above
    ``export``. A thread's name would not: a simple processor exports on the application's thread too, and
    must not wait. Fallback: it is no flush.
    """
    frame = sys._getframe(2)  # pyright: ignore[reportPrivateUsage]
    for _ in range(4):
        if frame.f_code.co_name == "force_flush":
            return True
        if frame.f_back is None:
            return False
        frame = frame.f_back
    return False


def scopes_of_tracers() -> set[str] | None:
    """The names of the scopes of all tracers that the global provider has made: ``TracerProvider._tracers``.

    No span is begun without one. Fallback, of opentelemetry-sdk up to 1.40: None.
    """
    tracers: Any = getattr(trace.get_tracer_provider(), "_tracers", None)
    try:
        return {scope.name for scope in list(tracers)}
    except (AttributeError, TypeError):
        return None


def attributes_of(span: ReadableSpan) -> Mapping[str, Any]:
    """The span's attributes as a plain dict: ``ReadableSpan._attributes._dict``.

    The public property wraps the SDK's own mapping twice, and a look-up through it costs ten
    times a dict's; every finished span of the application passes here. Fallback: that property.
    """
    own: Any = span
    try:
        plain: Any = own._attributes._dict
    except AttributeError:
        plain = None
    return plain if plain.__class__ is dict else span.attributes or {}


def view_of(span: ReadableSpan, attributes: Mapping[str, Any]) -> SpanView:
    """View a finished span of the SDK; `attributes` as `attributes_of` gave them.

    By the fields behind the properties, each of which costs as much as ten of them. Fallback: the properties.
    """
    own: Any = span
    parent_id, is_remote = None, False
    try:
        # Tuples of trace id, span id, and whether it is remote: their properties cost three times as much.
        context, parent = own._context, own._parent
        trace_id, span_id = context[0], context[1]
        if parent:
            parent_id, is_remote = parent[1], parent[2]
        scope, status, events = own._instrumentation_scope, own._status, own._events._dq
        name, scope_name, version = own._name, scope._name, scope._version
        start, end = own._start_time, own._end_time
        # `value` is a property of enum, ten times as slow.
        code, description = status._status_code._value_, status._description
        resource, dropped = own._resource._attributes._dict, own._attributes.dropped
    except (AttributeError, TypeError):
        # A part is None, too: of a span without a context, or without a scope.
        context, scope, status = span.context, span.instrumentation_scope, span.status
        trace_id, span_id = (context.trace_id, context.span_id) if context else (0, 0)
        parent, events, name = span.parent, span.events, span.name
        parent_id, is_remote = (parent.span_id, parent.is_remote) if parent else (None, False)
        scope_name, version = (scope.name, scope.version) if scope else ("", "")
        start, end = span.start_time, span.end_time
        code, description = status.status_code.value, status.description
        resource, dropped = _resource_attributes(span.resource), span.dropped_attributes
    return SpanView(
        trace_id.to_bytes(16, "big").hex(),
        span_id.to_bytes(8, "big").hex(),
        None if parent_id is None else parent_id.to_bytes(8, "big").hex(),
        name,
        scope_name,
        version or "",
        *period(start, end),
        code,
        description or "",
        attributes,
        [EventView(one.name, one.timestamp, one.attributes or {}) for one in span.events] if events else (),
        resource,
        dropped,
        REMOTE_PARENT if is_remote else NO_KIN,
    )


def frame_of(span: ReadableSpan) -> Frame:
    """The place of a finished span in its trace."""
    context, parent = span.context, span.parent
    service = _resource_attributes(span.resource).get("service.name")
    return Frame(
        context.trace_id.to_bytes(16, "big").hex() if context else "0" * 32,
        context.span_id.to_bytes(8, "big").hex() if context else "0" * 16,
        parent.span_id.to_bytes(8, "big").hex() if parent else None,
        bool(parent and parent.is_remote),
        span.name,
        *period(span.start_time, span.end_time),
        span.status.status_code._value_ == STATUS_ERROR,
        service if isinstance(service, str) else None,
    )


def _resource_attributes(resource: Resource) -> Mapping[str, Any]:
    attributes = resource.attributes
    plain = getattr(attributes, "_dict", None)
    return plain if type(plain) is dict else attributes  # type: ignore[return-value]
