"""OTLP/JSON is read without protobuf, in either spelling, and gives what protobuf gives."""

from __future__ import annotations

import json
import re
from typing import Any

import orjson
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_arthur.genai.events.log_events import log_events
from otel_arthur.genai.otlp.json.form import without_bad_records
from otel_arthur.genai.otlp.json.tolerated import tolerated
from otel_arthur.genai.otlp.json.typed import Export, ordinary
from otel_arthur.genai.otlp.spoiled import OTLPError
from otel_arthur.genai.otlp.views import span_views
from tests.support.paths import CAPTURES
from tests.support.spans.broken import document, spans_of
from tests.support.spans.otlp_requests import otlp_json


def long_way(found: Any, *, is_logs: bool = False) -> Any:
    """What protobuf's own parser makes of it, and why it leaves records out."""
    if is_logs:
        request, bad = without_bad_records(found, ExportLogsServiceRequest)
        return list(log_events(request)), [kind for kind, _ in bad]
    request, bad = without_bad_records(found, ExportTraceServiceRequest)
    return list(span_views(request)), [kind for kind, _ in bad]


def told(export: Export, *, is_logs: bool) -> Any:
    return list(export.events if is_logs else export.views)


def snake(found: Any) -> Any:
    """With the names of the schema."""
    names = re.compile(r'"(\w+)": ')
    text = names.sub(
        lambda one: re.sub("[A-Z]", lambda mark: f"_{mark[0].lower()}", one[0]), json.dumps(found)
    )
    return json.loads(text)


def test_what_instrumentations_write_is_read_in_either_spelling() -> None:
    files = {(file.parent, ".logs." in file.name): file for file in CAPTURES.glob("*/*/*.pb")}
    for (_, is_logs), file in files.items():
        kind = ExportLogsServiceRequest if is_logs else ExportTraceServiceRequest
        found = otlp_json(kind.FromString(file.read_bytes()))
        expected, _ = long_way(found, is_logs=is_logs)
        export = ordinary(orjson.dumps(found))
        assert export is not None, file
        assert told(export, is_logs=is_logs) == expected
        assert ordinary(found) == export
        assert tolerated(snake(found)) == (export, []), file
    assert {is_logs for _, is_logs in files} == {True, False}


DEEP: Any = {"stringValue": "x"}
for _ in range(30):
    DEEP = {"arrayValue": {"values": [DEEP]}}
VALUES: list[Any] = [
    *(
        {"intValue": value}
        # Without "5.0", which protobuf refuses up to 5 and takes today.
        for value in (5, -5, "5", "-5", "007", " 5", 5.0, "٥", 2**63, str(2**63), True)
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


LOGS: list[dict[str, Any]] = [
    {},
    {"timeUnixNano": None, "observedTimeUnixNano": "7"},
    {"eventName": "", "attributes": [{"key": "event.name", "value": {"stringValue": "gen_ai.user.message"}}]},
    {"eventName": "other", "body": {"stringValue": "text"}},
    {"traceId": "", "spanId": ""},
    {"traceId": "xyz"},
    {"severityNumber": "SEVERITY_NUMBER_INFO", "flags": 1, "unknown": 2},
    {"body": DEEP},
]


@pytest.mark.parametrize("fields", LOGS, ids=repr)
def test_any_log_record_is_read_alike(fields: dict[str, Any]) -> None:
    said: Any = {"kvlistValue": {"values": [{"key": "content", "value": {"stringValue": "words"}}]}}
    ids = {"traceId": "ab" * 16, "spanId": "cd" * 8, "timeUnixNano": "5"}
    record = {**ids, "eventName": "gen_ai.user.message", "body": said}
    scope = {"scope": {"name": "s"}, "logRecords": [record, {**record, **fields}]}
    alike({"resourceLogs": [{"resource": {}, "scopeLogs": [scope]}]}, is_logs=True)


@pytest.mark.parametrize("depth", [27, 40, 41, 300])
def test_a_value_nested_too_deep_spoils_itself_alone(depth: int) -> None:
    deep: Any = {"stringValue": "x"}
    for _ in range(depth):
        deep = {"arrayValue": {"values": [deep]}}
    compare({"attributes": [{"key": "a", "value": deep}, {"key": "b", "value": {"stringValue": "x"}}]})


def test_metrics_beside_are_told_and_nothing_is_an_export() -> None:
    assert ordinary(b"{}") == tolerated({})[0] == Export([], [])
    for export in (ordinary(b'{"resourceMetrics": [{"a": 1}]}'), tolerated({"resource_metrics": 1})[0]):
        assert export is not None
        assert (export.has_metrics, export.has_records) == (True, False)


def compare(fields: dict[str, Any]) -> None:
    found = document()
    spans_of(found)[1].update(fields)
    alike(found)


def alike(found: Any, *, is_logs: bool = False) -> None:
    """What protobuf reads is read likewise, and of what it refuses a part at most."""
    expected, left_out = long_way(found, is_logs=is_logs)
    for spelt in (found, snake(found)):
        for export in (ordinary(json.dumps(spelt).encode()), ordinary(spelt)):
            assert export is None or repr((told(export, is_logs=is_logs), [])) == repr((expected, left_out))
        export, bad = tolerated(spelt)
        assert repr(told(export, is_logs=is_logs)) == repr(expected)
        assert [kind for kind, _ in bad] == left_out


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (
            {"traceId": 7},
            "Expected `str`, got `int` - at `$.resourceSpans[0].scopeSpans[0].spans[0].tr",
        ),
        ({"traceId": "xyz"}, "traceId is a text that is not hexadecimal; write its bytes so"),
        ({"startTimeUnixNano": "soon"}, "startTimeUnixNano is a text; write a whole number"),
        ({"flags": -1}, "flags is out of its range; write a number from 0 to 4294967295"),
        (
            {"attributes": [{"key": "a", "value": {"stringValue": 5}}]},
            "stringValue is a number; write text",
        ),
    ],
)
def test_what_does_not_fit_is_named_with_its_type_and_the_fix(value: dict[str, Any], said: str) -> None:
    with pytest.raises(OTLPError) as raised:
        tolerated({"resourceSpans": [{"scopeSpans": [{"spans": [value]}]}]})
    assert said in str(raised.value)
