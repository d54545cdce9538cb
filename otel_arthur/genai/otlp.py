"""OTLP trace exports as span views: binary protobuf, OTLP/JSON and JSON lines.

Source: opentelemetry-proto, ``trace/v1/trace.proto`` and "OTLP/JSON Protobuf Encoding".
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeVar, cast

import orjson
from google.protobuf.json_format import ParseDict, ParseError
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from otel_arthur.genai.span import EventView, SpanView

_M = TypeVar("_M", bound=Message)
_MAX_DEPTH = 64
_SIGNALS = frozenset({"resourceSpans", "resourceLogs", "resourceMetrics"})


class OTLPError(ValueError):
    """The bytes are not an OTLP export; the message says what they seem to be."""


def trace_requests(content: bytes) -> Iterator[ExportTraceServiceRequest]:
    """The trace exports in a file: one protobuf message, one JSON object, or JSON lines.

    Raises:
        OTLPError: at the first piece that is none of these.
    """
    return _messages(content, ExportTraceServiceRequest, "resourceSpans")


def log_requests(content: bytes) -> Iterator[ExportLogsServiceRequest]:
    """The log exports in a file, as `trace_requests`."""
    return _messages(content, ExportLogsServiceRequest, "resourceLogs")


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
        span.start_time_unix_nano,
        span.end_time_unix_nano,
        span.status.code,
        span.status.message,
        attribute_map(span.attributes),
        [EventView(e.name, e.time_unix_nano, attribute_map(e.attributes)) for e in span.events],
        resource,
        span.dropped_attributes_count,
    )


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


def request_from_json(document: Any, kind: Callable[[], _M]) -> _M:
    """An OTLP/JSON object as its protobuf message.

    Ids are hexadecimal there, not base64, and unknown fields are ignored, unlike protobuf's own JSON.

    Raises:
        OTLPError: the object does not fit.
    """
    if not isinstance(document, Mapping):
        raise OTLPError(f"expected a JSON object, found {type(document).__name__}")
    try:
        return ParseDict(_with_base64_ids(document, 0), kind(), ignore_unknown_fields=True)
    except (ParseError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise OTLPError(f"not OTLP/JSON: {str(error)[:200]}") from None


def _messages(content: bytes, kind: Callable[[], _M], key: str) -> Iterator[_M]:
    stripped = content.lstrip()
    if not stripped:
        return
    if stripped[:1] != b"{":
        message = kind()
        try:
            message.ParseFromString(content)
        except DecodeError:
            raise OTLPError(
                "it is neither an OTLP protobuf message nor OTLP/JSON; "
                "export it with a Collector's file exporter, or save the request body"
            ) from None
        yield message
        return
    try:
        documents: Iterable[Any] = [orjson.loads(stripped)]
    except orjson.JSONDecodeError:
        documents = _json_lines(stripped)
    for document in documents:
        # A file may hold several signals, one a line: the others are not ours to read.
        if not (_SIGNALS - {key}).intersection(document):
            yield request_from_json(document, kind)


def _json_lines(content: bytes) -> Iterator[Any]:
    for number, line in enumerate(content.splitlines(), 1):
        if line.strip():
            try:
                yield orjson.loads(line)
            except orjson.JSONDecodeError as error:
                raise OTLPError(f"line {number} is not JSON: {error}") from None


_ID_KEYS = frozenset({"traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id"})


def _with_base64_ids(value: Any, depth: int) -> Any:
    if depth > _MAX_DEPTH:
        raise OTLPError("nested too deeply")
    if isinstance(value, dict):
        mapping = cast("dict[str, Any]", value)
        return {
            key: _base64_id(item) if key in _ID_KEYS else _with_base64_ids(item, depth + 1)
            for key, item in mapping.items()
        }
    if isinstance(value, list):
        return [_with_base64_ids(item, depth + 1) for item in cast("list[Any]", value)]
    return value


def _base64_id(value: Any) -> Any:
    if not isinstance(value, str):
        raise OTLPError("an id must be a text of hexadecimal digits")
    try:
        return base64.b64encode(binascii.unhexlify(value)).decode()
    except (binascii.Error, ValueError):
        raise OTLPError("an id must be hexadecimal") from None
