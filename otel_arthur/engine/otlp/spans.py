"""OTLP spans for the Engine, each a request of its own.

Requests that are joined byte for byte are one request, as Protocol Buffers merges repeated fields.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final, NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from otel_arthur.engine.openinference.calls import PLAIN, mime_type_of
from otel_arthur.engine.openinference.safe_values import SafeAttributes, Value

SCOPE: Final = "otel_arthur"
TASK: Final = "arthur.task"
_SERVICE: Final = "service.name"


class EngineSpan(NamedTuple):
    """A span as the Engine gets it. Times are nanoseconds since the epoch, ids hexadecimal."""

    trace_id: str
    span_id: str
    parent_span_id: str | None
    """None makes the span the root of its trace: the Engine evaluates roots."""
    name: str
    start_ns: int
    end_ns: int
    attributes: Mapping[str, Value]
    """Safe already (`SafeAttributes`)."""
    error_type: str | None = None
    """The class of the error that ended the span; an empty text where the class is unknown."""

    @property
    def row_id(self) -> str:
        """The id of its row."""
        return f"{self.trace_id}-{self.span_id}"


def request_of(
    span: EngineSpan, service_name: str | None, task_id: str | None, mended: Counter[str]
) -> ExportTraceServiceRequest:
    """The request that holds this span alone.

    Args:
        service_name: names the task where `task_id` is None.
        task_id: the UUID of a task.
        mended: kind of mending -> number.
    """
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    resource = {**({_SERVICE: service_name} if service_name else {}), **({TASK: task_id} if task_id else {})}
    resource_spans.resource.attributes.extend(_key_values(resource, mended))
    scope_spans = resource_spans.scope_spans.add()
    scope_spans.scope.name = SCOPE
    scope_spans.spans.append(_span(span, mended))
    return request


def span_in(request: ExportTraceServiceRequest) -> Span:
    """The one span of a row."""
    return request.resource_spans[0].scope_spans[0].spans[0]


def put(span: Span, texts: Mapping[str, str]) -> None:
    """Set attributes to safe texts, each as plain text; those that are there are replaced."""
    given = {**texts, **{mime_type_of(key): PLAIN for key in texts}}
    kept = [one for one in span.attributes if one.key not in given]
    del span.attributes[:]
    span.attributes.extend([*kept, *_key_values(given, Counter())])


def _span(span: EngineSpan, mended: Counter[str]) -> Span:
    start, end = _times(span.start_ns, span.end_ns, mended)
    encoded = Span(
        trace_id=bytes.fromhex(span.trace_id),
        span_id=bytes.fromhex(span.span_id),
        name=SafeAttributes(mended).text(span.name),
        kind=Span.SPAN_KIND_INTERNAL,
        start_time_unix_nano=start,
        end_time_unix_nano=end,
        attributes=_encoded(span.attributes),
    )
    if span.parent_span_id is not None:
        encoded.parent_span_id = bytes.fromhex(span.parent_span_id)
    if span.error_type is None:
        encoded.status.code = Status.STATUS_CODE_OK
        return encoded
    encoded.status.code = Status.STATUS_CODE_ERROR
    if span.error_type:
        encoded.events.add(
            name="exception",
            time_unix_nano=end,
            attributes=_key_values({"exception.type": span.error_type}, mended),
        )
    return encoded


def _times(start: int, end: int, mended: Counter[str]) -> tuple[int, int]:
    """Start and end of which neither is zero nor the end before the start: the Engine fails on both."""
    if 0 < start <= end:
        return start, end
    mended["time"] += 1
    start = start if start > 0 else max(end, 1)
    return start, max(start, end)


def _key_values(attributes: Mapping[str, Value], mended: Counter[str]) -> list[KeyValue]:
    safe = SafeAttributes(mended)
    for key, value in attributes.items():
        safe.put(key, value)
    return _encoded(safe.values)


def _encoded(attributes: Mapping[str, Value]) -> list[KeyValue]:
    return [
        KeyValue(key=key, value=AnyValue(string_value=value) if type(value) is str else _any_value(value))
        for key, value in attributes.items()
    ]


def _any_value(value: Value) -> AnyValue:
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, str):
        return AnyValue(string_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    return AnyValue(array_value=ArrayValue(values=[AnyValue(string_value=item) for item in value]))
