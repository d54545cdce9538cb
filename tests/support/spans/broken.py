"""Requests that are taken apart, to be put together with a bad part."""

from __future__ import annotations

import json
from typing import Any

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

WORDS = "What is new, and quite a long text that stands in for bytes?"


def request(count: int = 3, first: int = 1) -> ExportTraceServiceRequest:
    """Calls with a number each, in their ids and words."""
    export = ExportTraceServiceRequest()
    spans = export.resource_spans.add().scope_spans.add().spans
    for number in range(first, first + count):
        span = spans.add(
            trace_id=bytes([number] * 16),
            span_id=bytes([number] * 8),
            name="chat m",
            kind=3,
            start_time_unix_nano=10**18,
            end_time_unix_nano=10**18 + number,
        )
        said = [{"role": "user", "parts": [{"type": "text", "content": f"{WORDS} {number}"}]}]
        answer = [{"role": "assistant", "parts": [{"type": "text", "content": f"answer {number}"}]}]
        for key, value in (
            ("gen_ai.operation.name", "chat"),
            ("gen_ai.request.model", "m"),
            ("gen_ai.input.messages", json.dumps(said)),
            ("gen_ai.output.messages", json.dumps(answer)),
        ):
            span.attributes.add(key=key).value.string_value = value
    return export


def document(count: int = 3, first: int = 1) -> dict[str, Any]:
    """The same as OTLP/JSON."""
    found: dict[str, Any] = MessageToDict(request(count, first))
    for span in found["resourceSpans"][0]["scopeSpans"][0]["spans"]:
        number = int(span["name"] == "chat m") and int(span["endTimeUnixNano"]) - 10**18
        span["traceId"], span["spanId"] = f"{number:02x}" * 16, f"{number:02x}" * 8
    return found


def spans_of(found: dict[str, Any]) -> list[dict[str, Any]]:
    return found["resourceSpans"][0]["scopeSpans"][0]["spans"]


def spans_in_protobuf(count: int = 3, first: int = 1) -> list[bytes]:
    """The spans of `request`, one by one."""
    return [span.SerializeToString() for span in request(count, first).resource_spans[0].scope_spans[0].spans]


def field(number: int, content: bytes) -> bytes:
    """A field with a length before it."""
    length = len(content)
    encoded = bytearray([number << 3 | 2])
    while length > 0x7F:
        encoded.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes(encoded) + bytes([length]) + content


def wrapped(spans: list[bytes]) -> bytes:
    """The request of these spans."""
    return field(1, field(2, b"".join(field(2, span) for span in spans)))
