"""Ordinary OTLP/JSON is read without protobuf, and gives what protobuf gives; all else goes the long way."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_arthur.genai.otlp.json_form import OTLPError, request_from_json
from otel_arthur.genai.otlp.typed import views_of
from otel_arthur.genai.otlp.views import span_views
from otel_arthur.genai.span import SpanView
from tests.support.paths import CAPTURES
from tests.support.spans.broken import document, spans_of
from tests.support.spans.otlp_requests import otlp_json


def long_way(found: Any) -> list[SpanView]:
    return list(span_views(request_from_json(found, ExportTraceServiceRequest)))


def test_what_instrumentations_write_is_ordinary() -> None:
    ordinary = 0
    files = {file.parent: file for file in CAPTURES.glob("*/*/*.pb") if not file.name.endswith(".logs.pb")}
    for file in files.values():
        found = otlp_json(ExportTraceServiceRequest.FromString(file.read_bytes()))
        views = views_of(found.get("resourceSpans", []))
        assert views in (None, long_way(found)), file
        ordinary += views is not None
    assert ordinary > 0.9 * len(files)


DEEP: Any = {"stringValue": "x"}
for _ in range(30):
    DEEP = {"arrayValue": {"values": [DEEP]}}
VALUES: list[Any] = [
    *(
        {"intValue": value}
        for value in (5, -5, "5", "-5", "007", " 5", "5.0", 5.0, "٥", 2**63, str(2**63), True)
    ),
    *({"doubleValue": value} for value in (5, 0.5, "0.5", "NaN", "Infinity", -0.0, 1e308)),
    *({"boolValue": value} for value in (True, False, 1, "true")),
    *({"stringValue": value} for value in ("", "\ud800", "\u202e", "é", 5, None)),
    {"stringValue": "a", "intValue": 1},
    {"string_value": "snake"},
    {"bytesValue": "AAEC"},
    {"kvlistValue": {"values": [{"key": "k", "value": {"intValue": "1"}}, {"key": "n"}, {}]}},
    {"arrayValue": {"values": [{}, {"stringValue": "x"}, None]}},
    {"arrayValue": {}},
    {},
    None,
    7,
    DEEP,
]
FIELDS: list[dict[str, Any]] = [
    {"traceId": "AB" * 16},
    {"traceId": "abc"},
    {"traceId": "ab " * 16},
    {"spanId": ""},
    {"parentSpanId": None},
    {"kind": 7},
    {"kind": "SPAN_KIND_SERVER"},
    {"kind": 2, "parentSpanId": "ab" * 8},
    {"flags": 0x300, "parentSpanId": "ab" * 8},
    {"flags": -1},
    {"startTimeUnixNano": -1},
    {"startTimeUnixNano": str(2**64)},
    {"endTimeUnixNano": 2**64 - 1},
    {"status": {"code": 9}},
    {"status": {"code": "STATUS_CODE_ERROR", "message": "m"}},
    {
        "events": [
            {"name": "e", "timeUnixNano": "1", "attributes": [{"key": "a", "value": {"boolValue": True}}]}
        ]
    },
    {"links": [{"traceId": "ab" * 16}]},
    {"droppedAttributesCount": 3},
    {"droppedAttributesCount": "3"},
    {"trace_state": "snake"},
    {"unknownField": 1},
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
def test_any_value_is_read_alike(value: Any) -> None:
    compare({"attributes": [{"key": "a", "value": value}, {"key": "a", "value": {"stringValue": "later"}}]})
    compare({"attributes": [{"key": "a", "value": value}]})


@pytest.mark.parametrize("fields", FIELDS, ids=repr)
def test_any_field_is_read_alike(fields: dict[str, Any]) -> None:
    compare(fields)


def compare(fields: dict[str, Any]) -> None:
    found = document()
    spans_of(found)[1].update(fields)
    views = views_of(found["resourceSpans"])
    try:
        expected = long_way(found)
    except OTLPError:
        assert views is None
    else:
        assert views in (None, expected)
