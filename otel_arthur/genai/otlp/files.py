"""OTLP export files: which signal and which encoding a file's bytes are, found from the bytes.

Source: opentelemetry-proto, "OTLP/JSON Protobuf Encoding"; the Collector's file exporter (JSON
lines, or messages that each follow their length as four big-endian bytes, each compressed or not).
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from io import BufferedReader, BytesIO
from typing import IO, Any, TypeAlias, cast

import orjson
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_arthur.genai.otlp.json_form import OTLPError, request_from_json

Request: TypeAlias = ExportTraceServiceRequest | ExportLogsServiceRequest

_ZSTD = b"\x28\xb5\x2f\xfd"
_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"
_UTF8_MARK = b"\xef\xbb\xbf"
_UTF16_MARKS = (b"\xff\xfe", b"\xfe\xff")
_FIRST_FIELD = b"\n"
"""All three requests of OTLP have but one field, and this is its tag. A length never begins so."""
_JSON = re.compile(rb'\s*\{\s*(\}|"[^"\x00-\x1f]*"|\Z)|[ \t\r]*\[|\n\s*\[\s*[\[\]{}"]')
"""How JSON begins. A message of protobuf may begin with a line feed and a brace, but does not go on so."""
MAX_MESSAGE = 128 * 1024**2
"""Bytes of one message after decompression; a Collector's largest are a few."""
_BUFFER = 256 * 1024
_HINT = "export it with a Collector's file exporter, or save the body of an OTLP request"
_JSON_SIGNALS: dict[str, type[Request] | None] = {
    "resourceSpans": ExportTraceServiceRequest,
    "resourceLogs": ExportLogsServiceRequest,
    "resourceMetrics": None,
}


class EmptyExport(OTLPError):
    """There is nothing in it: protobuf's form of an export without spans."""


def requests_in(source: bytes | IO[bytes]) -> Iterator[Request]:
    """The trace and log exports in a file, in order, one at a time; metrics beside them are passed over.

    Of the file no more than one message is in memory: one line of JSON, or one export of protobuf.

    Raises:
        EmptyExport: there is not a byte.
        OTLPError: there are none, or at the first piece that cannot be read.
        OSError: the file cannot be read.
    """
    stream = BytesIO(source) if isinstance(source, bytes) else source
    seen: set[str] = set()
    with _read_errors():
        yield from _requests(inflated(stream), seen)
    if not seen:
        raise EmptyExport("it is empty")
    if seen == {"metrics"}:
        raise OTLPError("it holds metrics, and no traces or logs")


def inflated(stream: IO[bytes]) -> BufferedReader:
    """What a file holds, read as it is asked for; compressed or not."""
    plain = BufferedReader(cast("Any", stream), _BUFFER)
    head = plain.peek(4)[:4]
    if head[:2] == _GZIP:
        return BufferedReader(cast("Any", gzip.GzipFile(fileobj=plain)), _BUFFER)
    if head != _ZSTD:
        return plain
    try:
        import zstandard
    except ImportError:
        raise OTLPError("it is compressed with zstd; pip install zstandard to read it") from None
    reader = zstandard.ZstdDecompressor().stream_reader(plain, read_across_frames=True)
    inside = BufferedReader(cast("Any", reader), _BUFFER)
    with _read_errors():
        if not inside.peek(1):
            raise OTLPError("its zstd compression is cut short: nothing can be read of it")
    return inside


@contextmanager
def _read_errors() -> Generator[None, None, None]:
    try:
        yield
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise OTLPError(f"its gzip compression is damaged: {error}") from None
    except Exception as error:
        if type(error).__name__ != "ZstdError":  # of a package that may not be there
            raise
        raise OTLPError(f"its zstd compression is damaged: {error}") from None


def _requests(stream: BufferedReader, seen: set[str]) -> Iterator[Request]:
    head = stream.peek(4)
    if head.startswith(_UTF8_MARK):
        stream.read(len(_UTF8_MARK))
        head = stream.peek(4)
    if head[:2] in _UTF16_MARKS:
        raise OTLPError("it is UTF-16; save it as UTF-8")
    if head[:4] == _ZIP:
        raise OTLPError("it is a zip archive; give the files in it")
    if _JSON.match(head):
        yield from _from_lines(stream, seen)
    elif head[:1] == _FIRST_FIELD:
        yield from _from_binary(_bounded(stream.read(MAX_MESSAGE + 1)), seen)
    elif len(head) >= 4 and 0 < int.from_bytes(head[:4], "big") <= MAX_MESSAGE:
        for piece in _length_prefixed(stream):
            inside = _bounded(inflated(BytesIO(piece)).read(MAX_MESSAGE + 1))
            is_json = _JSON.match(inside) is not None
            yield from _from_lines(BytesIO(inside), seen) if is_json else _from_binary(inside, seen)
    elif head.strip():
        raise OTLPError(f"it is no OTLP export, neither protobuf nor JSON; {_HINT}")
    elif head:
        yield from _from_lines(stream, seen)


def _bounded(message: bytes) -> bytes:
    if len(message) > MAX_MESSAGE:
        raise OTLPError(f"a message in it is longer than {MAX_MESSAGE // 1024**2} MB; {_HINT}")
    return message


def _length_prefixed(stream: IO[bytes]) -> Iterator[bytes]:
    """The messages that each follow their length; the last one may be cut short."""
    whole = 0
    while prefix := stream.read(4):
        length = int.from_bytes(prefix, "big")
        message = stream.read(length) if len(prefix) == 4 and 0 < length <= MAX_MESSAGE else b""
        if not message or len(message) < length:
            # One whole message makes a chance agreement of its length unlikely enough to say what is wrong.
            if whole:
                raise OTLPError(f"its last message is cut short, after {whole} whole ones")
            raise OTLPError(f"it is no OTLP export, neither protobuf nor JSON; {_HINT}")
        whole += 1
        yield message


def _from_lines(stream: IO[bytes], seen: set[str]) -> Iterator[Request]:
    """JSON: one document, on a line or on many, or a document a line."""
    number, line = _next_line(stream, 0)
    if not line:
        return
    try:
        document: Any = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        rest = stream.read(MAX_MESSAGE + 1 - len(line))
        try:
            document = orjson.loads(_bounded(line + rest))
        except orjson.JSONDecodeError:
            raise OTLPError(f"line {number} is not JSON: {error}; {_HINT}") from None
    following, after = _next_line(stream, number)
    yield from _from_json(document, f"line {number}: " if after else "", seen)
    while after:
        number, line = following, after
        try:
            document = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise OTLPError(f"line {number} is not JSON: {error}; {_HINT}") from None
        yield from _from_json(document, f"line {number}: ", seen)
        following, after = _next_line(stream, number)


def _next_line(stream: IO[bytes], number: int) -> tuple[int, bytes]:
    """The next line that is not blank, with its number; an empty one at the end."""
    while line := stream.readline(MAX_MESSAGE + 1):
        number += 1
        if not _bounded(line).isspace():
            return number, line
    return number, b""


def _from_json(document: Any, where: str, seen: set[str]) -> Iterator[Request]:
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
