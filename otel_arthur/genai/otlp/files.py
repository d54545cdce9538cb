"""OTLP export files: which signal and which encoding a file's bytes are, found from the bytes.

Source: opentelemetry-proto, "OTLP/JSON Protobuf Encoding"; the Collector's file exporter (JSON
lines, or messages that each follow their length as four big-endian bytes, each compressed or not).
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from typing import Any, TypeAlias, cast

import orjson
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_arthur.genai.otlp.json_form import OTLPError, request_from_json

Request: TypeAlias = ExportTraceServiceRequest | ExportLogsServiceRequest

_ZSTD = b"\x28\xb5\x2f\xfd"
_GZIP = b"\x1f\x8b"
_MAX_INFLATED = 4 * 1024**3
_HINT = "export it with a Collector's file exporter, or save the body of an OTLP request"
_JSON_SIGNALS: dict[str, type[Request] | None] = {
    "resourceSpans": ExportTraceServiceRequest,
    "resourceLogs": ExportLogsServiceRequest,
    "resourceMetrics": None,
}


class EmptyExport(OTLPError):
    """There is nothing in it: protobuf's form of an export without spans."""


def requests_in(content: bytes) -> Iterator[Request]:
    """The trace and log exports in a file's bytes, in order; metrics beside them are passed over.

    Raises:
        EmptyExport: there is not a byte.
        OTLPError: there are none, or at the first piece that cannot be read.
    """
    seen: set[str] = set()
    for piece in _messages(_inflated(content)):
        stripped = piece.lstrip()
        requests = _from_json(stripped, seen) if stripped[:1] in (b"{", b"[") else _from_binary(piece, seen)
        yield from requests
    if not seen:
        raise EmptyExport("it is empty")
    if seen == {"metrics"}:
        raise OTLPError("it holds metrics, and no traces or logs")


def _messages(content: bytes) -> Iterator[bytes]:
    """The messages that follow their lengths, or the whole as one."""
    bounds = _length_prefixed(content)
    if bounds is None:
        if content.strip():
            yield content
        return
    for start, end in bounds:
        yield _inflated(content[start:end])


def _length_prefixed(content: bytes) -> list[tuple[int, int]] | None:
    """Where the messages lie, if lengths account for every byte; a last one may be cut short."""
    if len(content) < 5 or content[:1] in b"{[ \t\r\n":
        return None
    bounds: list[tuple[int, int]] = []
    position = 0
    while position + 4 <= len(content):
        length = int.from_bytes(content[position : position + 4], "big")
        position += 4
        if length == 0 or position + length > len(content):
            break
        bounds.append((position, position + length))
        position += length
    else:
        if position == len(content):
            return bounds
    # One whole message makes a chance agreement of its length unlikely enough to say what is wrong.
    if len(bounds) > 1 or (bounds and content[bounds[0][0] :][:4] == _ZSTD):
        raise OTLPError(f"its last message is cut short, after {len(bounds)} whole ones")
    return None


def _inflated(content: bytes) -> bytes:
    if content[:2] == _GZIP:
        try:
            return gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise OTLPError(f"its gzip compression is damaged: {error}") from None
    if content[:4] != _ZSTD:
        return content
    try:
        import zstandard
    except ImportError:
        raise OTLPError("it is compressed with zstd; pip install zstandard to read it") from None
    try:
        reader = zstandard.ZstdDecompressor().stream_reader(content, read_across_frames=True)
        inflated = reader.read(_MAX_INFLATED)
    except zstandard.ZstdError as error:
        raise OTLPError(f"its zstd compression is damaged: {error}") from None
    if not inflated:
        raise OTLPError("its zstd compression is cut short: nothing can be read of it")
    return inflated


def _from_json(content: bytes, seen: set[str]) -> Iterator[Request]:
    try:
        documents: Iterator[tuple[int, Any]] = iter([(0, orjson.loads(content))])
    except orjson.JSONDecodeError:
        documents = _json_lines(content)
    for number, document in documents:
        where = f"line {number}: " if number else ""
        if not isinstance(document, dict):
            raise OTLPError(f"{where}expected a JSON object, found {type(document).__name__}; {_HINT}")
        signals = [key for key in _JSON_SIGNALS if key in document]
        if not signals and document:
            keys = ", ".join(sorted(map(str, cast("dict[str, Any]", document)))[:5])
            raise OTLPError(f"{where}it is JSON but not OTLP: it has {keys} and no resourceSpans; {_HINT}")
        for signal in signals:
            kind = _JSON_SIGNALS[signal]
            seen.add("traces and logs" if kind else "metrics")
            if kind is not None:
                try:
                    yield request_from_json({signal: document[signal]}, kind)
                except OTLPError as error:
                    raise OTLPError(f"{where}{error}") from None
        if not document:
            seen.add("traces and logs")


def _json_lines(content: bytes) -> Iterator[tuple[int, Any]]:
    for number, line in enumerate(content.split(b"\n"), 1):
        if line.strip():
            try:
                yield number, orjson.loads(line)
            except orjson.JSONDecodeError as error:
                raise OTLPError(f"line {number} is not JSON: {error}; {_HINT}") from None


def _from_binary(content: bytes, seen: set[str]) -> Iterator[Request]:
    """One protobuf message. The three signals have the same outer form; their records tell them apart."""
    traces = _parsed(ExportTraceServiceRequest, content)
    if traces is not None and _is_traces(traces):
        seen.add("traces and logs")
        yield traces
        return
    logs = _parsed(ExportLogsServiceRequest, content)
    if logs is not None and _is_logs(logs):
        seen.add("traces and logs")
        yield logs
        return
    metrics = _parsed(ExportMetricsServiceRequest, content)
    if metrics is not None and _is_metrics(metrics):
        seen.add("metrics")
        return
    if traces is None or traces.resource_spans:
        raise OTLPError(f"it is no OTLP export, neither protobuf nor JSON; {_HINT}")
    raise OTLPError(f"it holds no span and no log record; {_HINT}")


def _parsed(kind: type[Any], content: bytes) -> Any:
    message: Message = kind()
    try:
        message.ParseFromString(content)
    except DecodeError:
        return None
    return message


def _is_traces(request: ExportTraceServiceRequest) -> bool:
    spans = [s for rs in request.resource_spans for ss in rs.scope_spans for s in ss.spans]
    return bool(spans) and all(
        len(span.trace_id) == 16 and len(span.span_id) == 8 and (span.start_time_unix_nano or span.kind)
        for span in spans  # A metric's name and description may be as long as ids.
    )


def _is_logs(request: ExportLogsServiceRequest) -> bool:
    records = [r for rl in request.resource_logs for sl in rl.scope_logs for r in sl.log_records]
    return bool(records) and all(
        r.time_unix_nano or r.observed_time_unix_nano or r.severity_number or r.event_name for r in records
    )


def _is_metrics(request: ExportMetricsServiceRequest) -> bool:
    metrics = [m for rm in request.resource_metrics for sm in rm.scope_metrics for m in sm.metrics]
    return bool(metrics) and all(metric.WhichOneof("data") for metric in metrics)
