"""A bad part spoils only itself: it is counted, named and passed over; the good ones are read."""

from __future__ import annotations

import json
from collections import Counter
from io import BytesIO
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_arthur.collector.otlp.decoding import parse
from otel_arthur.collector.otlp.inflating import BadBody
from otel_arthur.collector.otlp.signals import TRACES
from otel_arthur.genai.duplicates.verdicts import judge
from otel_arthur.genai.otlp import mending
from otel_arthur.genai.otlp.files import exports_in
from otel_arthur.genai.otlp.json.mending import loaded
from otel_arthur.genai.otlp.spoiled import RECORD, TEXT, OTLPError, Spoiled
from otel_arthur.genai.otlp.views import span_views
from otel_arthur.genai.reading import read
from otel_arthur.genai.span import SpanView
from tests.support.spans.broken import document, request, spans_in_protobuf, spans_of, wrapped


def views_in(content: bytes, spoiled: Spoiled) -> list[SpanView]:
    return [view for export in exports_in(BytesIO(content), spoiled) for view in export.views]


def answers(content: bytes) -> tuple[list[str], Spoiled]:
    spoiled = Spoiled()
    views = views_in(content, spoiled)
    calls = [verdict.reading.call for verdict in judge(views) if verdict.decision == "inference"]
    return [call.choices[0].message.text for call in calls if call is not None], spoiled


def test_an_invalid_byte_in_a_text_spoils_only_itself() -> None:
    content = request().SerializeToString().replace(b"quite", b"q\xffite", 1)
    found, spoiled = answers(content)
    assert found == ["answer 1", "answer 2", "answer 3"]
    assert spoiled.counts == {TEXT: 1}
    [message] = [parse(TRACES, content, False)]
    texts = [a.value.string_value for a in message.resource_spans[0].scope_spans[0].spans[0].attributes]
    assert "q\ufffdite" in texts[2]


@pytest.mark.parametrize(
    "bad",
    [b"\x0f", b"\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", b"\x2a\x7fx", b"\x00\x00"],
    ids=["a wire type that is none", "a length without end", "a text cut short", "a field of number 0"],
)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_record_that_is_no_protobuf_spoils_only_itself(bad: bytes, place: int) -> None:
    spans = spans_in_protobuf()
    spans[place] += bad
    found, spoiled = answers(wrapped(spans))
    assert found == [f"answer {number}" for number in (1, 2, 3) if number != place + 1]
    assert spoiled.counts == {RECORD: 1}


def test_one_bad_record_among_many() -> None:
    spans = spans_in_protobuf(200)
    spans[77] += b"\x0f"
    found, spoiled = answers(wrapped(spans))
    assert len(found) == 199
    assert "1 x a record that is no valid protobuf" in str(spoiled)


def test_what_is_broken_outside_of_records_is_no_request() -> None:
    content = request().SerializeToString()
    for bad in (content[:-3], b"\x0f" + content):
        with pytest.raises(BadBody):
            parse(TRACES, bad, False)


@given(st.binary(max_size=300))
def test_mending_takes_any_bytes(content: bytes) -> None:
    mending.parsed(content, ExportTraceServiceRequest, Counter())


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("mask", [0x01, 0x04, 0x80, 0xFF])
def test_a_flipped_byte_is_read_or_told(place: int, mask: int) -> None:
    """Wherever it is in a span: the others are as they were, and the span is read, or counted as unread."""
    spans = spans_in_protobuf()
    others = {f"answer {number}" for number in (1, 2, 3) if number != place + 1}
    for position in range(len(spans[place])):
        flipped = bytearray(spans[place])
        flipped[position] ^= mask
        content = wrapped([bytes(flipped) if index == place else span for index, span in enumerate(spans)])
        spoiled = Spoiled()
        views = views_in(content, spoiled)
        assert len(views) + spoiled.counts[RECORD] == 3
        calls = [verdict.reading.call for verdict in judge(views) if verdict.decision == "inference"]
        assert others <= {
            choice.message.text for call in calls if call is not None for choice in call.choices
        }


def test_invalid_utf8_in_json() -> None:
    content = json.dumps(document()).encode().replace(b"quite", b"q\xffite", 1)
    assert answers(content)[0] == ["answer 1", "answer 2", "answer 3"]
    assert len(parse(TRACES, content, True).resource_spans[0].scope_spans[0].spans) == 3


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("traceId", "xyz"),
        ("traceId", 7),
        ("startTimeUnixNano", "soon"),
        ("attributes", [{"key": "a", "value": 7}]),
        ("attributes", "none"),
        ("events", [{"timeUnixNano": "x"}]),
    ],
)
def test_a_record_of_json_that_does_not_fit_spoils_only_itself(field: str, value: Any) -> None:
    found = document()
    spans_of(found)[1][field] = value
    texts, spoiled = answers(json.dumps(found).encode())
    assert texts == ["answer 1", "answer 3"]
    assert spoiled.counts == {"a record that does not fit": 1}


def test_null_is_the_default_wherever_it_is() -> None:
    found = document()
    span = spans_of(found)[0]
    span.update(dict.fromkeys(("parentSpanId", "events", "links", "status", "traceState"), None))
    span["attributes"] += [
        {"key": "n", "value": None},
        {"key": "l", "value": {"arrayValue": {"values": [None]}}},
    ]
    spans_of(found)[1]["endTimeUnixNano"] = None
    found["resourceSpans"][0]["resource"] = None
    texts, spoiled = answers(json.dumps(found).encode())
    assert (texts, spoiled.counts) == (["answer 1", "answer 2", "answer 3"], Counter())


def test_a_lone_surrogate_in_json_is_a_replacement() -> None:
    content = json.dumps(document(1)).encode().replace(b"quite", rb"q\ud800ite", 1)
    found, spoiled = answers(content)
    assert (found, spoiled.counts) == (["answer 1"], {TEXT: 1})


MENDED: list[tuple[bytes, Any, int]] = [
    (rb'"\ud800"', "\ufffd", 1),
    (rb'"\uDFFF"', "\ufffd", 1),
    (rb'"\ud83d\ude00\ude00\ud83d"', "\U0001f600\ufffd\ufffd", 1),
    (rb'"\ud83d\ud83d\ude00"', "\ufffd\U0001f600", 1),
    (rb'["\\ud800", "\\\ud800", "\\\\\"\udc00"]', [r"\ud800", "\\\ufffd", '\\\\"\ufffd'], 1),
    (rb'{"\ud800": {"\udc00": [NaN]}}', {"\ufffd": {"\ufffd": ["NaN"]}}, 1),
    (b'["\xf0\x9f\x98\x80", "\\ud800 \xff"]', ["\U0001f600", "\ufffd \ufffd"], 1),
    (
        rb'[NaN,-Infinity, Infinity ,"NaN\" NaN,\\",-5]',
        ["NaN", "-Infinity", "Infinity", 'NaN" NaN,\\', -5],
        0,
    ),
]


@pytest.mark.parametrize(("content", "expected", "bad"), MENDED)
def test_what_parsers_refuse_is_mended_where_it_is_bad(content: bytes, expected: Any, bad: int) -> None:
    told: list[str] = []
    assert (loaded(content, told.append), told) == (expected, [TEXT] * bad)


@given(st.lists(st.text(st.sampled_from('\ud83d\ude00\udfff\ud800\\"u\0a\ufffd\U0001f600é'))))
def test_any_texts_are_mended_as_unicode_has_it(found: list[str]) -> None:
    expected = [text.encode("utf-16", "surrogatepass").decode("utf-16", "replace") for text in found]
    assert loaded(json.dumps(found).encode(), lambda _: None) == expected


@pytest.mark.parametrize(
    "bad", [rb'["\ud800"', b'"\0\\ud800"', b"[NaNa]", b"-", b'"\\ud80"', b"\xff", b'["NaN]']
)
def test_what_is_no_json_stays_none(bad: bytes) -> None:
    with pytest.raises(orjson.JSONDecodeError):
        loaded(bad, lambda _: None)


def test_a_torn_line_spoils_only_itself() -> None:
    lines = [orjson.dumps(document(1)) for _ in range(3)]
    for torn in (0, 1, 2):
        content = b"\n".join([line[:-9] if number == torn else line for number, line in enumerate(lines)])
        found, spoiled = answers(content)
        assert len(found) == 2
        assert f"line {torn + 1}" in str(spoiled)
    with pytest.raises(OTLPError, match="line 1 is not JSON"):
        answers(lines[0][:-9])


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + json.dumps(document()).encode(),
        json.dumps(document()).encode("utf-16"),
        json.dumps(document()).encode("utf-16-le"),
        json.dumps(document()).encode("utf-16-be"),
        json.dumps([document(3)]).encode(),
        json.dumps(document(), indent=2).encode(),
        b"\n".join(json.dumps(document(1) | {"n": n}, indent=2).encode() for n in range(3)),
        json.dumps(document(2)).encode() + b"\n" + json.dumps(document(1), indent=2).encode() + b"\n",
    ],
    ids=[
        "a mark",
        "UTF-16",
        "UTF-16 LE",
        "UTF-16 BE",
        "a list",
        "indented",
        "as jq prints",
        "a line, then jq",
    ],
)
def test_encodings_and_arrangements_of_json(content: bytes) -> None:
    found, spoiled = answers(content)
    assert (len(found), spoiled.counts) == (3, Counter())


def test_messages_that_follow_their_lengths() -> None:
    pieces = [request(1).SerializeToString() for _ in range(3)]
    framed = b"".join(len(piece).to_bytes(4, "big") + piece for piece in pieces)
    found, spoiled = answers(framed[:-5])
    assert len(found) == 2
    assert "2 whole ones" in str(spoiled)
    bad = [pieces[0], b"\x0f" * 40, pieces[2]]
    found, spoiled = answers(b"".join(len(piece).to_bytes(4, "big") + piece for piece in bad))
    assert len(found) == 2
    assert sum(spoiled.counts.values()) == 1


def test_a_span_without_an_end_ends_when_it_began() -> None:
    export = request(1)
    export.resource_spans[0].scope_spans[0].spans[0].end_time_unix_nano = 0
    [view] = span_views(export)
    assert view.end_ns == view.start_ns == 10**18


@pytest.mark.parametrize(
    ("trace_id", "span_id"), [("", "b" * 16), ("a" * 32, ""), ("0" * 32, "b" * 16), ("ab", "b" * 16)]
)
def test_a_span_without_ids_is_skipped_with_a_reason(trace_id: str, span_id: str) -> None:
    [view] = span_views(request(1))
    without = SpanView(
        trace_id, span_id, None, *[getattr(view, name) for name in SpanView.__struct_fields__[3:]]
    )
    reading = read(without)
    assert reading.call is None
    assert "trace id" in reading.reason


def test_spans_without_ids_in_a_file_are_told_apart() -> None:
    export = request(5)
    for span in export.resource_spans[0].scope_spans[0].spans[:2]:
        span.trace_id = span.span_id = b""
    views = views_in(export.SerializeToString(), Spoiled())
    assert [verdict.decision for verdict in judge(views)] == ["skipped"] * 2 + ["inference"] * 3
