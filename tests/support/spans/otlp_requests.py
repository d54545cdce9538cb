"""OTLP requests for the tests: spans of LLM calls and of nothing in particular."""

from __future__ import annotations

import base64
import os
import time
from typing import Any

import orjson
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

PREFIX = "/opentelemetry.proto.collector"
METHODS = {
    "traces": f"{PREFIX}.trace.v1.TraceService/Export",
    "logs": f"{PREFIX}.logs.v1.LogsService/Export",
    "metrics": f"{PREFIX}.metrics.v1.MetricsService/Export",
}


def otlp_json(request: Any) -> dict[str, Any]:
    """A request of any signal as OTLP/JSON: as protobuf's, but ids are hexadecimal and enums are numbers."""

    def with_hex_ids(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: base64.b64decode(item).hex()
                if key.endswith(("traceId", "panId"))
                else with_hex_ids(item)
                for key, item in value.items()
            }
        return [with_hex_ids(item) for item in value] if isinstance(value, list) else value

    return with_hex_ids(MessageToDict(request, use_integers_for_enums=True))


def llm_request(
    count: int = 1, service: str = "support-bot", text: str = "Hello", **resource: str
) -> ExportTraceServiceRequest:
    """Calls to a model by the current GenAI conventions, each with ids of its own."""
    request, spans = _request(service, "opentelemetry.instrumentation.openai_v2", resource)
    for _ in range(count):
        span = _span(spans, "chat gpt-4o")
        _set(span, "gen_ai.operation.name", "chat")
        _set(span, "gen_ai.provider.name", "openai")
        _set(span, "gen_ai.request.model", "gpt-4o")
        _set(span, "gen_ai.usage.input_tokens", 21)
        _set(span, "gen_ai.usage.output_tokens", 7)
        _set(span, "gen_ai.input.messages", _messages("user", text))
        _set(span, "gen_ai.output.messages", _messages("assistant", f"{text} to you", "stop"))
    return request


def plain_request(count: int = 1, service: str = "shop") -> ExportTraceServiceRequest:
    """Spans that have nothing to do with a model."""
    request, spans = _request(service, "opentelemetry.instrumentation.flask", {})
    for number in range(count):
        span = _span(spans, f"GET /{number}")
        _set(span, "http.request.method", "GET")
        _set(span, "http.response.status_code", 200)
    return request


def log_request() -> ExportLogsServiceRequest:
    """One log record."""
    request = ExportLogsServiceRequest()
    record = request.resource_logs.add().scope_logs.add().log_records.add(time_unix_nano=time.time_ns())
    record.body.string_value = "started"
    return request


def metric_request() -> ExportMetricsServiceRequest:
    """One data point."""
    request = ExportMetricsServiceRequest()
    metric = request.resource_metrics.add().scope_metrics.add().metrics.add(name="requests", unit="1")
    metric.gauge.data_points.add(time_unix_nano=time.time_ns(), as_int=7)
    return request


def ids(request: ExportTraceServiceRequest) -> list[str]:
    """The ``partner_inference_id`` of each span in order, were it a call with one choice."""
    return [f"{span.trace_id.hex()}-{span.span_id.hex()}-0" for span in all_spans(request)]


def all_spans(request: ExportTraceServiceRequest) -> list[Span]:
    return [span for r in request.resource_spans for s in r.scope_spans for span in s.spans]


def _request(service: str, scope: str, resource: dict[str, str]) -> tuple[ExportTraceServiceRequest, Any]:
    request = ExportTraceServiceRequest()
    resource_spans = request.resource_spans.add()
    for key, value in {"service.name": service, **resource}.items():
        _set(resource_spans.resource, key, value)
    scope_spans = resource_spans.scope_spans.add()
    scope_spans.scope.name = scope
    return request, scope_spans.spans


def _span(spans: Any, name: str) -> Span:
    now = time.time_ns()
    return spans.add(
        trace_id=os.urandom(16),
        span_id=os.urandom(8),
        name=name,
        kind=Span.SpanKind.SPAN_KIND_CLIENT,
        start_time_unix_nano=now - 250_000_000,
        end_time_unix_nano=now,
    )


def _set(target: Any, key: str, value: str | int) -> None:
    attribute = target.attributes.add(key=key)
    if isinstance(value, int):
        attribute.value.int_value = value
    else:
        attribute.value.string_value = value


def _messages(role: str, text: str, finish_reason: str | None = None) -> str:
    message: dict[str, Any] = {"role": role, "parts": [{"type": "text", "content": text}]}
    if finish_reason:
        message["finish_reason"] = finish_reason
    return orjson.dumps([message]).decode()


def status_details(error: Any) -> Any:
    """What a gRPC error has in ``grpc-status-details-bin``, None where there is nothing."""
    return dict(error.trailing_metadata() or ()).get("grpc-status-details-bin")
