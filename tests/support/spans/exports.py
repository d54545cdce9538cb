"""What a file of exports holds, by signal, read as the product reads it."""

from __future__ import annotations

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_arthur.genai.otlp.files import requests_in


def trace_exports(content: bytes) -> list[ExportTraceServiceRequest]:
    return [one for one in requests_in(content) if isinstance(one, ExportTraceServiceRequest)]


def log_exports(content: bytes) -> list[ExportLogsServiceRequest]:
    return [one for one in requests_in(content) if isinstance(one, ExportLogsServiceRequest)]
