"""Bodies of every kind: what is none of ours is told so, and nothing is inflated past the limit."""

from __future__ import annotations

import contextlib
import gzip
import tracemalloc
import zlib
from collections import Counter
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_arthur.collector.intake.loops import LoopDetector
from otel_arthur.collector.otlp.decoding import parse, response_protobuf
from otel_arthur.collector.otlp.inflating import BadBody, TooLarge, decompress
from otel_arthur.collector.otlp.signals import LOGS, METRICS, SIGNALS, TRACES
from otel_arthur.collector.otlp.spans import candidates, has_marker, invalid_ids
from otel_arthur.genai.otlp import zstd
from otel_arthur.genai.otlp.spoiled import TEXT
from tests.collector.conformance.server import gzip_bomb
from tests.support.spans.broken import field
from tests.support.spans.otlp_requests import ids, llm_request, otlp_json, plain_request

LIMIT = 1 << 20
WAYS = {
    "gzip": gzip.compress,
    "zstd": zstd.compress,
    "deflate": zlib.compress,
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("size", [0, 1, LIMIT - 1, LIMIT])
def test_up_to_the_limit_all_is_taken(way: str, size: int) -> None:
    content = bytes(size)
    assert decompress(WAYS[way](content), way, LIMIT) == content


@pytest.mark.parametrize("way", WAYS)
def test_past_the_limit_nothing_is_inflated(way: str) -> None:
    body = gzip_bomb(64 * LIMIT) if way == "gzip" else WAYS[way](bytes(64 * LIMIT))
    tracemalloc.start()
    try:
        with pytest.raises(TooLarge):
            decompress(body, way, LIMIT)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 4 * LIMIT


def test_several_members_or_frames_are_one_body() -> None:
    assert decompress(gzip.compress(b"a") + gzip.compress(b"b"), "gzip", 2) == b"ab"
    assert decompress(zstd.compress(b"a") + zstd.compress(b"b"), "zstd", 2) == b"ab"
    with pytest.raises(TooLarge):
        decompress(gzip.compress(b"ab") * 2, "gzip", 3)


@given(st.sampled_from([*WAYS, None]), st.binary(max_size=200))
def test_any_bytes_are_a_body_or_refused(way: str | None, body: bytes) -> None:
    with contextlib.suppress(TooLarge, BadBody):
        assert len(decompress(body, way, 100)) <= 100


@pytest.mark.parametrize("way", WAYS)
@given(cut=st.integers(min_value=1, max_value=60))
def test_what_ends_early_is_refused(way: str, cut: int) -> None:
    body = WAYS[way](bytes(range(256)) * 4)
    with pytest.raises(BadBody):
        decompress(body[: max(0, len(body) - cut)], way, LIMIT)


@given(st.sampled_from(SIGNALS), st.binary(max_size=300), st.booleans())
def test_any_content_is_otlp_or_refused(signal: Any, content: bytes, json: bool) -> None:
    with contextlib.suppress(BadBody):
        assert signal.count(parse(signal, content, json)) >= 0


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["resourceSpans", "resource", "scopeSpans", "spans", "traceId", "attributes", "key", "value"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@given(st.sampled_from([TRACES, LOGS, METRICS]), _JSON)
def test_any_json_is_otlp_or_refused(signal: Any, document: Any) -> None:
    content = orjson.dumps(document, default=str) if not _too_large(document) else b"[1]"
    with contextlib.suppress(BadBody):
        assert signal.count(parse(signal, content, True)) >= 0


def _too_large(document: Any) -> bool:
    try:
        orjson.dumps(document)
    except TypeError:  # an integer of more than 64 bits is no JSON of orjson's
        return True
    return False


def test_both_encodings_mean_the_same() -> None:
    request = llm_request(2, text="Grüße 👋")
    from_json = parse(TRACES, orjson.dumps(otlp_json(request)), True)
    assert from_json == parse(TRACES, request.SerializeToString(), False) == request


def test_an_answer_with_half_an_emoji_is_an_answer() -> None:
    answer = response_protobuf(TRACES, rb'{"partialSuccess": {"errorMessage": "bad text: \ud83d"}}')
    assert TRACES.response.FromString(answer).partial_success.error_message == "bad text: \ufffd"


def test_a_log_record_with_half_an_emoji_is_read() -> None:
    record = rb'{"eventName": "e\ud83d", "body": {"kvlistValue": {"values": [{"key": "\udc00"}]}}}'
    content = b'{"resourceLogs": [{"scopeLogs": [{"logRecords": [%b]}]}]}' % record
    counted = Counter[str]()
    [found] = parse(LOGS, content, True, counted).resource_logs[0].scope_logs[0].log_records
    assert (found.event_name, found.body.kvlist_value.values[0].key) == ("e\ufffd", "\ufffd")
    assert counted == {TEXT: 1}


_NESTED: dict[str, tuple[str, str, tuple[int, ...]]] = {
    "list": ('{"arrayValue":{"values":[', "]}}", (1, 5)),
    "map": ('{"kvlistValue":{"values":[{"value":', "}]}}", (2, 1, 6)),
}


@pytest.mark.parametrize("depth", [1, 26, 60, 300, 3000])
@pytest.mark.parametrize("of", _NESTED)
def test_a_value_nested_too_deep_spoils_itself_alone(of: str, depth: int) -> None:
    opening, closing, numbers = _NESTED[of]
    json = opening * depth + '{"stringValue":"\\\\\\"[{"}' + closing * depth
    value = field(1, b'\\"[{')
    for number in numbers * depth:
        value = field(number, value)
    in_json, in_protobuf = Counter[str](), Counter[str]()
    spans = f'{{"attributes":[{{"key":"a","value":{json}}}]}},{{}}'
    content = f'{{"resourceSpans":[{{"scopeSpans":[{{"spans":[{spans}]}}]}}]}}'.encode()
    from_json = parse(TRACES, content, True, in_json)
    span = field(2, field(9, field(1, b"a") + field(2, value)))
    assert from_json == parse(TRACES, field(1, field(2, span + field(2, b""))), False, in_protobuf)
    assert in_json == in_protobuf
    assert bool(in_json) is (len(numbers) * depth > 80)


@pytest.mark.parametrize("make", [llm_request, plain_request])
def test_a_marker_is_seen_in_both_encodings(make: Any) -> None:
    request = make(2)
    is_llm = make is llm_request
    assert has_marker(request.SerializeToString()) is is_llm
    assert has_marker(orjson.dumps(otlp_json(request))) is is_llm


def test_only_spans_with_a_marker_become_views() -> None:
    request = plain_request(5)
    request.MergeFrom(llm_request(2))
    reasons: list[str] = []
    views = [view for view, _ in candidates(request, reasons.append)]
    assert [f"{view.trace_id}-{view.span_id}-0" for view in views] == ids(request)[5:]
    assert reasons == []


@pytest.mark.parametrize("identity", [b"", b"short", bytes(16), bytes(17)])
def test_ids_that_are_not_allowed_are_counted(identity: bytes) -> None:
    request = plain_request(3)
    request.resource_spans[0].scope_spans[0].spans[1].trace_id = identity
    assert invalid_ids(request) == 1


def test_a_span_that_keeps_coming_back_is_told_once_a_window() -> None:
    loops = LoopDetector()
    told = [loops.is_loop([("t", "s")], float(second) / 10) for second in range(100)]
    assert told.count(True) == 1
    assert not any(loops.is_loop([("t", str(number))], 20.0) for number in range(100))
    later = [loops.is_loop([("t", "s")], 100 + second / 10) for second in range(100)]
    assert later.count(True) == 1
