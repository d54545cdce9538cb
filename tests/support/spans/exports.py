"""What a file of exports holds, by signal."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

import orjson
from google.protobuf.message import Message
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_arthur.genai.events.log_events import Contents, LogEvent
from otel_arthur.genai.otlp.json.form import request_from_json
from otel_arthur.genai.span import SpanView

_M = TypeVar("_M", bound=Message)


def trace_exports(content: bytes) -> list[ExportTraceServiceRequest]:
    """Of protobuf or JSON lines."""
    return _exports(content, ExportTraceServiceRequest, b"resourceSpans")


def log_exports(content: bytes) -> list[ExportLogsServiceRequest]:
    return _exports(content, ExportLogsServiceRequest, b"resourceLogs")


def join_all(views: Iterable[SpanView], events: Iterable[LogEvent]) -> tuple[list[SpanView], int]:
    """The spans with the content of events, and how many events had no span among them."""
    contents, found = Contents(), list[SpanView]()
    contents.add(events)
    for view in views:
        found.append(contents.joined(view))
        contents.done(view)
    return found, contents.unjoined


def _exports(content: bytes, kind: Callable[[], _M], signal: bytes) -> list[_M]:
    if content[:1] != b"{":
        message = kind()
        message.ParseFromString(content)
        return [message]
    return [request_from_json(orjson.loads(line), kind) for line in content.splitlines() if signal in line]
