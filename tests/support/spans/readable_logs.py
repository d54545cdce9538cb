"""Log records of a recording as the SDK hands them to an exporter."""

from __future__ import annotations

from collections.abc import Iterator

from opentelemetry._logs import LogRecord
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.sdk._logs import ReadableLogRecord
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from otel_arthur.genai.otlp.views import any_value, attribute_map


def readable_logs(request: ExportLogsServiceRequest) -> Iterator[ReadableLogRecord]:
    """The records of a log request."""
    for resource_logs in request.resource_logs:
        resource = Resource(attribute_map(resource_logs.resource.attributes))
        for scope_logs in resource_logs.scope_logs:
            scope = InstrumentationScope(scope_logs.scope.name, scope_logs.scope.version)
            for record in scope_logs.log_records:
                inner = LogRecord(
                    timestamp=record.time_unix_nano,
                    observed_timestamp=record.observed_time_unix_nano,
                    context=None,
                    body=any_value(record.body),
                    attributes=attribute_map(record.attributes),
                    event_name=record.event_name or None,
                )
                inner.trace_id = int.from_bytes(record.trace_id, "big")
                inner.span_id = int.from_bytes(record.span_id, "big")
                yield ReadableLogRecord(inner, resource, scope)
