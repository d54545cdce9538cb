"""The Engine's requests as OTLP/JSON, for people to read.

Source: OTLP 1.10, "JSON Protobuf Encoding": ids are hexadecimal, not base64.
"""

from __future__ import annotations

from base64 import b64decode
from typing import Any

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

_IDS = ("traceId", "spanId", "parentSpanId")


def as_otlp_json(content: bytes) -> dict[str, Any]:
    request: dict[str, Any] = MessageToDict(
        ExportTraceServiceRequest.FromString(content), use_integers_for_enums=True
    )
    for resource_spans in request.get("resourceSpans", ()):
        for scope_spans in resource_spans.get("scopeSpans", ()):
            for span in scope_spans.get("spans", ()):
                for name in _IDS:
                    if name in span:
                        span[name] = b64decode(span[name]).hex()
    return request
