"""Spans in the processor's own form, and in JSON, are read as the same spans in protobuf are."""

from __future__ import annotations

import tracemalloc
from collections import Counter
from typing import Any

import msgspec
import orjson
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_arthur.collector.otlp.handed_over import HandedOver
from otel_arthur.collector.otlp.inflating import BadBody
from otel_arthur.collector.otlp.json_spans import JSONSpans, export_in
from otel_arthur.collector.otlp.spans import MAX_ATTRIBUTES, Placed, around_in, candidates
from otel_arthur.genai.otlp.measuring import TooManyItems, bytes_of_messagepack
from otel_arthur.genai.otlp.views import attribute_map
from otel_arthur.genai.steps.step import Frame, Step
from tests.support.paths import CAPTURES
from tests.support.spans.otlp_requests import llm_request, otlp_json


def packed(request: ExportTraceServiceRequest) -> bytes:
    """As ``packing.go`` does it, of requests whose spans are of one trace or all calls."""
    others: list[Placed] = []
    calls = {span.span_id for _, span in candidates(request, pytest.fail, others)}
    steps = {placed.span.span_id for placed in others if placed.may_be_step}
    resources: list[Any] = []
    for resource_spans in request.resource_spans:
        scopes: list[Any] = []
        for scope_spans in resource_spans.scope_spans:
            kinds: tuple[list[Any], ...] = ([], [], [])
            for span in scope_spans.spans:
                place = [
                    span.trace_id.hex(),
                    span.span_id.hex(),
                    span.parent_span_id.hex() or None,
                    span.flags,
                    span.kind,
                    span.name,
                    span.start_time_unix_nano,
                    span.end_time_unix_nano,
                    span.status.code,
                ]
                events = [[e.name, e.time_unix_nano, attribute_map(e.attributes)] for e in span.events]
                whole = [
                    *place,
                    span.status.message,
                    attribute_map(span.attributes),
                    events,
                    span.dropped_attributes_count,
                ]
                if span.span_id in calls:
                    kinds[0].append(whole)
                elif span.span_id in steps:
                    kinds[1].append(whole)
                else:
                    kinds[2].append(place)
            scopes.append([scope_spans.scope.name, scope_spans.scope.version, *kinds])
        resources.append([attribute_map(resource_spans.resource.attributes), scopes])
    return msgspec.msgpack.encode([resources])


def _by_id(told: tuple[Any, Step | Frame]) -> str:
    return (told[1].frame if isinstance(told[1], Step) else told[1]).span_id


@pytest.mark.parametrize(
    "name", ["pair-oll-langchain+oi-langchain/default/d_agent.pb", "main-road-1.5.2/chat/d_parallel_agent.pb"]
)
def test_views_are_those_of_otlp(name: str) -> None:
    request = ExportTraceServiceRequest.FromString((CAPTURES / name).read_bytes())
    json = orjson.dumps(otlp_json(request))
    others: list[Placed] = []
    expected = [view for view, _ in candidates(request, pytest.fail, others)]
    for spans in (HandedOver(packed(request)), JSONSpans(export_in(json, Counter()).views)):
        assert list(spans.calls(pytest.fail)) == expected
        assert sorted(spans.around(), key=_by_id) == sorted(around_in(others), key=_by_id)


def test_calls_that_are_left_out() -> None:
    request = llm_request(5)
    spans = request.resource_spans[0].scope_spans[0].spans
    body = msgspec.msgpack.decode(packed(request))
    first, second, third, fourth, _ = body[0][0][1][0][2]
    first[0] = "0" * 32
    second[10] = {str(number): 1 for number in range(MAX_ATTRIBUTES)}
    # The answer, which names calls by the bytes of their ids, could not be given.
    third[0] = "z" * 32
    fourth[1] = "é" * 16
    reasons: list[str] = []
    (view,) = HandedOver(msgspec.msgpack.encode(body)).calls(reasons.append)
    assert view.span_id == spans[4].span_id.hex()
    assert reasons == ["invalid id", "too many attributes", "invalid id", "invalid id"]


@pytest.mark.parametrize("body", [b"", b"\x91", msgspec.msgpack.encode([[[{}, 1]]]), b"\x91" * 100_000])
def test_other_bodies_are_bad(body: bytes) -> None:
    with pytest.raises(BadBody, match="processor's form"):
        HandedOver(body)


@pytest.mark.parametrize(
    "value",
    [
        [[]] * 10_000,
        [{"": None}] * 10_000,
        [{str(number): number for number in range(1_000)}] * 20,
        ["é" * 20] * 10_000,
        "é" * 100_000 + "\N{GRINNING FACE}",
        [2**60, -(2**60), 1.5, b"x" * 70_000, "x" * 300, msgspec.msgpack.Ext(5, b"x" * 20)] * 1_000,
        [[msgspec.msgpack.Ext(5, b"x" * size) for size in (1, 2, 4, 8, 16, 300, 70_000)]] * 200,
        [[1, 300, 70_000, -1, -200, -40_000, -(2**40), True, "", "x" * 70_000]] * 300,
    ],
    ids=lambda value: type(value).__name__,
)
def test_measured_is_no_less_than_decoding_takes(value: Any) -> None:
    body = msgspec.msgpack.encode(value)
    values = _count(value)
    measured = bytes_of_messagepack(body, values)
    with pytest.raises(TooManyItems):
        bytes_of_messagepack(body, values - 1)
    tracemalloc.start()
    decoded = msgspec.msgpack.decode(body)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert decoded == value
    assert most <= measured + 1024  # the decoder itself


def _count(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + sum(1 + _count(one) for one in value.values())
    return 1 + sum(map(_count, value)) if isinstance(value, list) else 1
