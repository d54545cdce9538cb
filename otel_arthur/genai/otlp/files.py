"""OTLP export files: which signal and which encoding a file's bytes are, found from the bytes.

Source: opentelemetry-proto, "OTLP/JSON Protobuf Encoding"; the Collector's file exporter (JSON
lines, or messages that each follow their length as four big-endian bytes, each compressed or not).
"""

from __future__ import annotations

import codecs
import gzip
import re
import zlib
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from io import BufferedReader, BytesIO
from typing import IO, Any, TypeAlias, TypeVar, cast

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_arthur.genai.otlp.json_form import OTLPError, without_bad_records
from otel_arthur.genai.otlp.json_texts import HINT, documents
from otel_arthur.genai.otlp.mending import parsed
from otel_arthur.genai.otlp.spoiled import Spoiled
from otel_arthur.genai.otlp.typed import views_of
from otel_arthur.genai.otlp.views import span_views
from otel_arthur.genai.span import SpanView

Request: TypeAlias = ExportTraceServiceRequest | ExportLogsServiceRequest
SpansOrLogs: TypeAlias = Iterable[SpanView] | ExportLogsServiceRequest

_T = TypeVar("_T")
_ZSTD = b"\x28\xb5\x2f\xfd"
_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"
_FIRST_FIELD = b"\n"
"""All three requests of OTLP have but one field, and this is its tag. A length never begins so."""
_JSON = re.compile(rb'\s*\{\s*(\}|"[^"\x00-\x1f]*"|\Z)|[ \t\r]*\[|\n\s*\[\s*[\[\]{}"]')
"""How JSON begins. A message of protobuf may begin with a line feed and a brace, but does not go on so."""
MAX_MESSAGE = 128 * 1024**2
"""Bytes of one message after decompression; a Collector's largest are a few."""
_BUFFER = 256 * 1024
_JSON_SIGNALS: dict[str, type[Request] | None] = {
    "resourceSpans": ExportTraceServiceRequest,
    "resourceLogs": ExportLogsServiceRequest,
    "resourceMetrics": None,
}


class EmptyExport(OTLPError):
    """There is nothing in it: protobuf's form of an export without spans."""


def requests_in(source: bytes | IO[bytes], spoiled: Spoiled | None = None) -> Iterator[Request]:
    """The trace and log exports in a file, in order, one at a time; metrics beside them are passed over.

    Of the file no more than one message is in memory: one line of JSON, or one export of protobuf.

    Args:
        source: the file, or its bytes, compressed or not.
        spoiled: told what is passed over because it cannot be read.

    Raises:
        EmptyExport: there is not a byte.
        OTLPError: nothing in it can be read.
        OSError: the file cannot be read.
    """
    stream = BytesIO(source) if isinstance(source, bytes) else source
    return _exports_in(stream, Spoiled() if spoiled is None else spoiled, lambda _document: None)


def _exports_in(
    stream: IO[bytes], spoiled: Spoiled, read: Callable[[Any], _T | None]
) -> Iterator[Request | _T]:
    """The exports in a file; `read` may have read the spans of a JSON document already."""
    seen: set[str] = set()
    with _read_errors():
        yield from _requests(inflated(stream), seen, spoiled, read)
    if not seen:
        raise EmptyExport("it is empty")
    if seen == {"metrics"}:
        raise OTLPError("it holds metrics, and no traces or logs")


def spans_and_logs_in(source: IO[bytes], spoiled: Spoiled) -> Iterator[SpansOrLogs]:
    """As `requests_in`, with the spans of each export as views: read without protobuf where that can be."""
    for found in _exports_in(source, spoiled, views_of):
        yield span_views(found) if isinstance(found, ExportTraceServiceRequest) else found


def inflated(stream: IO[bytes]) -> BufferedReader:
    """What a file holds, read as it is asked for; compressed or not."""
    plain = BufferedReader(cast("Any", stream), _BUFFER)
    head = plain.peek(4)[:4]
    if head[:2] == _GZIP:
        return BufferedReader(cast("Any", gzip.GzipFile(fileobj=plain)), _BUFFER)
    if head != _ZSTD:
        return plain
    try:
        from otel_arthur.genai.otlp.zstd import WINDOW, ZstdFile
    except ImportError:
        raise OTLPError("it is compressed with zstd; pip install backports.zstd to read it") from None
    return BufferedReader(cast("Any", ZstdFile(plain, options=WINDOW)), _BUFFER)


@contextmanager
def _read_errors() -> Generator[None, None, None]:
    try:
        yield
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise OTLPError(f"its compression is damaged: {error}") from None
    except Exception as error:
        if type(error).__name__ != "ZstdError":  # of a package that may not be there
            raise
        raise OTLPError(f"its compression is damaged: {error}") from None


def _requests(
    stream: BufferedReader, seen: set[str], spoiled: Spoiled, read: Callable[[Any], _T | None]
) -> Iterator[Request | _T]:
    head = stream.peek(4)
    if head.startswith(codecs.BOM_UTF8):
        stream.read(len(codecs.BOM_UTF8))
        head = stream.peek(4)
    if (encoding := _utf16(head)) is not None:
        text = _bounded(stream.read(MAX_MESSAGE + 1)).decode(encoding, "replace")
        stream = BufferedReader(cast("Any", BytesIO(text.encode())))
        head = stream.peek(4)
    if head[:4] == _ZIP:
        raise OTLPError("it is a zip archive; give the files in it")
    if _JSON.match(head):
        yield from _from_json(stream, seen, spoiled, read)
    elif head[:1] == _FIRST_FIELD:
        yield from _from_binary(_bounded(stream.read(MAX_MESSAGE + 1)), seen, spoiled)
    elif len(head) >= 4 and 0 < int.from_bytes(head[:4], "big") <= MAX_MESSAGE:
        yield from _from_messages(stream, seen, spoiled, read)
    elif head.strip():
        raise OTLPError(f"it is no OTLP export, neither protobuf nor JSON; {HINT}")


def _utf16(head: bytes) -> str | None:
    """The encoding of JSON in two bytes a character, with its mark or without."""
    if head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return "utf-16"
    if head[:2] in (b"{\0", b"[\0"):
        return "utf-16-le"
    return "utf-16-be" if head[:2] in (b"\0{", b"\0[") else None


def _from_messages(
    stream: IO[bytes], seen: set[str], spoiled: Spoiled, read: Callable[[Any], _T | None]
) -> Iterator[Request | _T]:
    """The messages that each follow their length."""
    failure: OTLPError | None = None
    for number, piece in enumerate(_length_prefixed(stream, spoiled), 1):
        try:
            inside = _bounded(inflated(BytesIO(piece)).read(MAX_MESSAGE + 1))
            is_json = _JSON.match(inside) is not None
            yield from (
                _from_json(BytesIO(inside), seen, spoiled, read)
                if is_json
                else _from_binary(inside, seen, spoiled)
            )
        except OTLPError as error:
            failure = failure or error
            spoiled.add("a message that cannot be read", f"message {number}: {error}")
    if failure is not None and not seen:
        raise failure


def _bounded(message: bytes) -> bytes:
    if len(message) > MAX_MESSAGE:
        raise OTLPError(f"a message in it is longer than {MAX_MESSAGE // 1024**2} MB; {HINT}")
    return message


def _length_prefixed(stream: IO[bytes], spoiled: Spoiled) -> Iterator[bytes]:
    """The messages that each follow their length; the last one may be cut short."""
    whole = 0
    while prefix := stream.read(4):
        length = int.from_bytes(prefix, "big")
        message = stream.read(length) if len(prefix) == 4 and 0 < length <= MAX_MESSAGE else b""
        if not message or len(message) < length:
            if not whole:
                raise OTLPError(f"it is no OTLP export, neither protobuf nor JSON; {HINT}")
            spoiled.add("a last message that is cut short", f"it comes after {whole} whole ones")
            return
        whole += 1
        yield message


def _from_json(
    stream: IO[bytes], seen: set[str], spoiled: Spoiled, read: Callable[[Any], _T | None]
) -> Iterator[Request | _T]:
    failure: OTLPError | None = None
    for where, document in documents(stream, MAX_MESSAGE, spoiled):
        try:
            yield from _of_document(document, seen, where, spoiled, read)
        except OTLPError as error:
            failure = failure or OTLPError(f"{where}{error}")
            spoiled.add("a JSON object that is no export", str(failure))
    if failure is not None and not seen:
        raise failure


def _of_document(
    document: Any, seen: set[str], where: str, spoiled: Spoiled, read: Callable[[Any], _T | None]
) -> Iterator[Request | _T]:
    if not isinstance(document, dict):
        raise OTLPError(f"expected a JSON object, found {type(document).__name__}; {HINT}")
    signals = [key for key in _JSON_SIGNALS if key in document]
    if not signals and document:
        keys = ", ".join(sorted(map(str, cast("dict[str, Any]", document)))[:5])
        raise OTLPError(f"it is JSON but not OTLP: it has {keys} and no resourceSpans; {HINT}")
    for signal in signals:
        kind = _JSON_SIGNALS[signal]
        spans = read(document[signal]) if kind is ExportTraceServiceRequest else None
        if spans is not None:
            yield spans
        elif kind is not None:
            request, reasons = without_bad_records({signal: document[signal]}, kind)
            for left_out, reason in reasons:
                spoiled.add(left_out, f"{where}{reason}")
            yield request
        seen.add("traces and logs" if kind else "metrics")
    if not document:
        seen.add("traces and logs")


def _from_binary(content: bytes, seen: set[str], spoiled: Spoiled) -> Iterator[Request]:
    """One protobuf message. The three signals have the same outer form; their records tell them apart."""
    bad: Counter[str] = Counter()
    traces = parsed(content, ExportTraceServiceRequest, bad)
    if traces is not None and _is_traces(traces):
        _tell(bad, spoiled)
        seen.add("traces and logs")
        yield traces
        return
    bad.clear()
    logs = parsed(content, ExportLogsServiceRequest, bad)
    if logs is not None and _is_logs(logs):
        _tell(bad, spoiled)
        seen.add("traces and logs")
        yield logs
        return
    metrics = parsed(content, ExportMetricsServiceRequest, Counter())
    if metrics is not None and _is_metrics(metrics):
        seen.add("metrics")
        return
    if traces is None or traces.resource_spans:
        raise OTLPError(f"it is no OTLP export, neither protobuf nor JSON; {HINT}")
    raise OTLPError(f"it holds no span and no log record; {HINT}")


def _tell(bad: Counter[str], spoiled: Spoiled) -> None:
    for kind, count in bad.items():
        if count:
            spoiled.add(kind, count=count)


def _is_traces(request: ExportTraceServiceRequest) -> bool:
    spans = [s for rs in request.resource_spans for ss in rs.scope_spans for s in ss.spans]
    proper = [
        len(span.trace_id) == 16 and len(span.span_id) == 8 and (span.start_time_unix_nano or span.kind)
        for span in spans  # A metric's name and description may be as long as ids.
    ]
    return 2 * sum(map(bool, proper)) >= max(len(spans), 1)


def _is_logs(request: ExportLogsServiceRequest) -> bool:
    records = [r for rl in request.resource_logs for sl in rl.scope_logs for r in sl.log_records]
    return bool(records) and all(
        r.time_unix_nano or r.observed_time_unix_nano or r.severity_number or r.event_name for r in records
    )


def _is_metrics(request: ExportMetricsServiceRequest) -> bool:
    metrics = [m for rm in request.resource_metrics for sm in rm.scope_metrics for m in sm.metrics]
    return bool(metrics) and all(metric.WhichOneof("data") for metric in metrics)
