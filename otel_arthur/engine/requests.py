"""OTLP as the Engine takes it: spans, each a request of its own.

Requests that are joined byte for byte are one request, as Protocol Buffers merges repeated fields.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from otel_arthur.engine.openinference.calls import PLAIN, mime_type_of
from otel_arthur.engine.openinference.safe_values import SafeAttributes, Value

if TYPE_CHECKING:
    from google.protobuf.internal.containers import RepeatedCompositeFieldContainer

SCOPE: Final = "otel_arthur"
TASK: Final = "arthur.task"
_SERVICE: Final = "service.name"
_IDS_IN_JSON: Final = ("traceId", "spanId", "parentSpanId")


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
    """Attributes that are safe already (`SafeAttributes`)."""
    error_type: str | None = None
    """The class of the error that ended the span; an empty text where the class is unknown."""
    error_message: str | None = None

    @property
    def row_id(self) -> str:
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
    safe = SafeAttributes(mended)
    request = ExportTraceServiceRequest.FromString(
        _empty(safe.text(service_name or ""), safe.text(task_id or ""))
    )
    _write(span_in(request), span, mended)
    return request


@lru_cache(maxsize=64)
def _empty(service_name: str, task_id: str) -> bytes:
    """A request whose span is not written yet; the rest is the same for all spans of a service."""
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    resource = {_SERVICE: service_name, TASK: task_id}
    _add(resource_spans.resource.attributes, {key: value for key, value in resource.items() if value})
    scope_spans = resource_spans.scope_spans.add()
    scope_spans.scope.name = SCOPE
    scope_spans.spans.add(kind=Span.SPAN_KIND_INTERNAL)
    return request.SerializeToString()


def span_in(request: ExportTraceServiceRequest) -> Span:
    """The one span of a row."""
    return request.resource_spans[0].scope_spans[0].spans[0]


def addressed(content: bytes, task_id: str | None) -> bytes:
    """A row's request for another task; None for the task of its service."""
    request = ExportTraceServiceRequest.FromString(content)
    attributes = request.resource_spans[0].resource.attributes
    kept = [one for one in attributes if one.key != TASK]
    del attributes[:]
    attributes.extend(kept)
    if task_id:
        _add(attributes, {TASK: task_id})
    return request.SerializeToString()


def as_otlp_json(content: bytes) -> dict[str, Any]:
    """A request as OTLP/JSON, for people to read.

    Source: OTLP 1.10, "JSON Protobuf Encoding": ids are hexadecimal, not base64.
    """
    from base64 import b64decode

    from google.protobuf.json_format import MessageToDict

    request: dict[str, Any] = MessageToDict(
        ExportTraceServiceRequest.FromString(content), use_integers_for_enums=True
    )
    for resource_spans in request.get("resourceSpans", ()):
        for scope_spans in resource_spans.get("scopeSpans", ()):
            for span in scope_spans.get("spans", ()):
                for name in _IDS_IN_JSON:
                    if name in span:
                        span[name] = b64decode(span[name]).hex()
    return request


def put(span: Span, texts: Mapping[str, str]) -> None:
    """Set attributes to safe texts, and replace existing ones."""
    given = {**texts, **{mime_type_of(key): PLAIN for key in texts}}
    kept = [one for one in span.attributes if one.key not in given]
    del span.attributes[:]
    span.attributes.extend(kept)
    _add(span.attributes, given)


def _write(to: Span, span: EngineSpan, mended: Counter[str]) -> None:
    to.trace_id = bytes.fromhex(span.trace_id)
    to.span_id = bytes.fromhex(span.span_id)
    if span.parent_span_id is not None:
        to.parent_span_id = bytes.fromhex(span.parent_span_id)
    to.name = SafeAttributes(mended).text(span.name)
    to.start_time_unix_nano, to.end_time_unix_nano = _times(span.start_ns, span.end_ns, mended)
    _add(to.attributes, span.attributes)
    if span.error_type is None:
        to.status.code = Status.STATUS_CODE_OK
        return
    to.status.code = Status.STATUS_CODE_ERROR
    error = SafeAttributes(mended)
    for key, said in (("exception.type", span.error_type), ("exception.message", span.error_message)):
        if said:
            error.put(key, said)
    if error.values:
        event = to.events.add(name="exception", time_unix_nano=to.end_time_unix_nano)
        _add(event.attributes, error.values)


def _times(start: int, end: int, mended: Counter[str]) -> tuple[int, int]:
    """Start and end, neither zero, the end not before the start: the Engine fails on such times."""
    if 0 < start <= end:
        return start, end
    mended["time"] += 1
    start = start if start > 0 else max(end, 1)
    return start, max(start, end)


def _add(to: RepeatedCompositeFieldContainer[KeyValue], attributes: Mapping[str, Value]) -> None:
    """Add attributes in place: messages that are made first and then copied cost twice."""
    for key, value in attributes.items():
        one = to.add()
        one.key = key
        written = one.value
        if isinstance(value, str):
            written.string_value = value
        elif isinstance(value, bool):
            written.bool_value = value
        elif isinstance(value, int):
            written.int_value = value
        elif isinstance(value, float):
            written.double_value = value
        else:
            written.array_value.values.extend([AnyValue(string_value=item) for item in value])
