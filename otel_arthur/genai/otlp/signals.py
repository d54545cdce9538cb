"""Which signal of OTLP a message of protobuf is, and what it holds.

Source: opentelemetry-proto, ``collector/*/v1``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from otel_arthur.genai.events.log_events import log_events
from otel_arthur.genai.otlp.json.typed import Export
from otel_arthur.genai.otlp.mending import parsed
from otel_arthur.genai.otlp.pieces import Cut
from otel_arthur.genai.otlp.views import span_views

Kinds: TypeAlias = Mapping[type[Message], Callable[[Any], bool]]
"""The messages that it may be, each with what tells that it is one."""


def told(piece: bytes, kinds: Kinds) -> tuple[Kinds, Message, Counter[str]]:
    """The kind of a piece, its message, and what of it is bad; the one kind of several that it is.

    Raises:
        Cut: it is of none of the kinds.
    """
    for kind, is_one in kinds.items():
        bad: Counter[str] = Counter()
        message = parsed(piece, kind, bad)
        if message is not None and (len(kinds) == 1 or is_one(message)):
            return {kind: is_one}, message, bad
    raise Cut("it is no protobuf of that signal")


def export_of(message: Message) -> Export:
    """What a request of any signal holds."""
    if isinstance(message, ExportTraceServiceRequest):
        return Export(span_views(message))
    if isinstance(message, ExportLogsServiceRequest):
        records = [r for rl in message.resource_logs for sl in rl.scope_logs for r in sl.log_records]
        last = records[-1] if records else LogRecord()
        time_ns = last.time_unix_nano or last.observed_time_unix_nano
        return Export(events=list(log_events(message)), time_ns=time_ns)
    return Export(has_metrics=True, has_records=False)


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


KINDS: Kinds = {
    ExportTraceServiceRequest: _is_traces,
    ExportLogsServiceRequest: _is_logs,
    ExportMetricsServiceRequest: _is_metrics,
}
