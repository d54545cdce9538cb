"""OTLP/JSON as span views and log events, without protobuf: its own parser takes ten times as long.

Ordinary is what a Collector's file exporter writes: names in camel case, and no others. What else may be
written is made so first (`tolerated`).

Source: opentelemetry-proto, "OTLP/JSON Protobuf Encoding".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from sys import intern
from typing import Any, Final, NamedTuple

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType, field

from otel_arthur.genai.events.log_events import LogEvent, log_event
from otel_arthur.genai.otlp.json.values import Number, TooDeepError, identity, number, value_of
from otel_arthur.genai.otlp.spoiled import DEEP
from otel_arthur.genai.span import NO_KIN, REMOTE_PARENT, EventView, SpanView, is_remote, period

_TIME: Final = (0, 2**64 - 1)
_COUNT: Final = (0, 2**32 - 1)
_SMALL: Final = 5
_INT32: Final = (-(2**31), 2**31 - 1)
_SPAN_KINDS: Final = [
    f"SPAN_KIND_{kind}" for kind in ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER")
]
_STATUS_CODES: Final = [f"STATUS_CODE_{code}" for code in ("UNSET", "OK", "ERROR")]
"""As ``trace.proto`` has them, each at its number."""


class Export(NamedTuple):
    """What one export holds; metrics are passed over."""

    views: Iterable[SpanView] = ()
    events: Iterable[LogEvent] = ()
    """GenAI events with content."""
    has_metrics: bool = False
    has_records: bool = True
    """Whether it is one of traces or logs."""
    time_ns: int = 0
    """When its last log record was written."""


class _Strict(Struct, rename="camel", forbid_unknown_fields=True, gc=False):
    """An unknown field may be one in another spelling: then the document is not ordinary."""


class _Pair(_Strict):
    key: str = ""
    value: dict[str, Any] = {}


class _Attributed(_Strict):
    attributes: Sequence[_Pair] = ()
    dropped_attributes_count: Number = 0


class _Identified(_Attributed):
    trace_id: str = ""
    span_id: str = ""
    flags: Number = 0


class _Event(_Attributed):
    time_unix_nano: Number = 0
    name: str = ""


class _Link(_Identified):
    trace_state: str = ""


class _Status(_Strict):
    message: str = ""
    code: Number = 0


class _Span(_Identified):
    parent_span_id: str = ""
    trace_state: str = ""
    name: str = ""
    kind: Number = 0
    start_time_unix_nano: Number = 0
    end_time_unix_nano: Number = 0
    events: Sequence[_Event] = ()
    dropped_events_count: Number = 0
    links: Sequence[_Link] = ()
    dropped_links_count: Number = 0
    status: _Status = field(default_factory=_Status)


class _Record(_Identified):
    time_unix_nano: Number = 0
    observed_time_unix_nano: Number = 0
    severity_number: Number = 0
    severity_text: str = ""
    event_name: str = ""
    body: dict[str, Any] = {}


class _Scope(_Attributed):
    name: str = ""
    version: str = ""


class _Resource(_Attributed):
    entity_refs: Any = None


class _OfScope(_Strict):
    scope: _Scope = field(default_factory=_Scope)
    schema_url: str = ""


class _OfResource(_Strict):
    resource: _Resource = field(default_factory=_Resource)
    schema_url: str = ""


class _ScopeSpans(_OfScope):
    spans: Sequence[_Span] = ()


class _ResourceSpans(_OfResource):
    scope_spans: Sequence[_ScopeSpans] = ()


class _ScopeLogs(_OfScope):
    log_records: Sequence[_Record] = ()


class _ResourceLogs(_OfResource):
    scope_logs: Sequence[_ScopeLogs] = ()


class Request(_Strict):
    resource_spans: Sequence[_ResourceSpans] | UnsetType = UNSET
    resource_logs: Sequence[_ResourceLogs] | UnsetType = UNSET
    resource_metrics: Raw | UnsetType = UNSET


_decoder: Final = msgspec.json.Decoder(Request)


def ordinary(text: bytes | Mapping[str, Any]) -> Export | None:
    """The export in a JSON text, or in what the text says; None where it is not ordinary, or no JSON."""
    try:
        is_text = isinstance(text, bytes)
        return export_of(_decoder.decode(text) if is_text else msgspec.convert(text, Request))
    except (ValueError, RecursionError):  # msgspec's errors are of the first kind
        return None


def export_of(request: Request, bad: list[tuple[str, str]] | None = None) -> Export:
    """The spans and events of a request.

    Args:
        bad: takes the values that are nested too deep; without it, such a value is an error.

    Raises:
        ValueError: a value does not fit; the message names its field.
    """
    return Export(
        [
            view
            for one in request.resource_spans or ()
            for resource in (_attributes(one.resource.attributes, bad),)
            for group in one.scope_spans
            for scope in ((group.scope.name, group.scope.version),)
            for view in [_view(span, scope, resource, bad) for span in group.spans]
        ],
        [
            event
            for one in request.resource_logs or ()
            for group in one.scope_logs
            for event in [_event(record, bad) for record in group.log_records]
            if event is not None
        ],
        request.resource_metrics is not UNSET,
        not (request.resource_spans is request.resource_logs is UNSET is not request.resource_metrics),
        _time(next((one for one in _records(request) if one), [_Record()])[-1]),
    )


def _view(
    span: _Span, scope: tuple[str, str], resource: Mapping[str, Any], bad: list[tuple[str, str]] | None
) -> SpanView:
    parent = identity("parentSpanId", span.parent_span_id) if span.parent_span_id else None
    kind = _member("kind", span.kind, _SPAN_KINDS)
    flags = number("flags", span.flags, _COUNT)
    return SpanView(
        identity("traceId", span.trace_id),
        identity("spanId", span.span_id),
        parent,
        span.name,
        *scope,
        *period(
            number("startTimeUnixNano", span.start_time_unix_nano, _TIME),
            number("endTimeUnixNano", span.end_time_unix_nano, _TIME),
        ),
        _member("code", span.status.code, _STATUS_CODES),
        span.status.message,
        _attributes(span.attributes, bad),
        [
            EventView(
                one.name, number("timeUnixNano", one.time_unix_nano, _TIME), _attributes(one.attributes, bad)
            )
            for one in span.events
        ],
        resource,
        number("droppedAttributesCount", span.dropped_attributes_count, _COUNT),
        REMOTE_PARENT if parent and is_remote(flags, kind) else NO_KIN,
    )


def _records(request: Request) -> Iterator[Sequence[_Record]]:
    """Those of each scope, the last one first."""
    for one in reversed(request.resource_logs or ()):
        yield from (group.log_records for group in reversed(one.scope_logs))


def _time(record: _Record) -> int:
    return number("timeUnixNano", record.time_unix_nano, _TIME) or number(
        "observedTimeUnixNano", record.observed_time_unix_nano, _TIME
    )


def _event(record: _Record, bad: list[tuple[str, str]] | None) -> LogEvent | None:
    key = identity("traceId", record.trace_id), identity("spanId", record.span_id)
    attributes = _attributes(record.attributes, bad)
    body = _attributes([_Pair("body", record.body)], bad).get("body")
    return log_event(record.event_name, key, _time(record), attributes, body)


def _attributes(pairs: Sequence[_Pair], bad: list[tuple[str, str]] | None) -> dict[str, Any]:
    """As `views.attribute_map`."""
    found: dict[str, Any] = {}
    for one in pairs:
        value: Any = one.value.get("stringValue")
        # Nearly all are such texts.
        if value.__class__ is not str or len(one.value) != 1 or not value.isascii():
            try:
                value = value_of(one.value)
            except TooDeepError:
                if bad is None:
                    raise
                bad.append((DEEP, ""))
                continue
        if value is not None:
            # The same names come with every span: each is once in memory.
            found[intern(one.key)] = value
    return found


def _member(name: str, value: Number, of: Sequence[str]) -> int:
    """A member of an enumeration, by number or by name; a name that is not known is the default."""
    if value.__class__ is int and 0 <= value <= _SMALL:  # type: ignore[operator]
        return value  # type: ignore[return-value]
    if isinstance(value, str) and not value.lstrip("-").isdecimal():
        return of.index(value) if value in of else 0
    return number(name, value, _INT32)
