"""A span without words completes another span of its call: live as in `inspect`, in either order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import requests
from msgspec.structs import replace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_arthur import ArthurSpanExporter
from otel_arthur.genai.duplicates.verdicts import judge
from otel_arthur.genai.events.assembly import Assembled, Assembly
from otel_arthur.genai.events.joiner import SPAN_WAIT_SECONDS
from otel_arthur.genai.otlp.views import span_views
from otel_arthur.genai.span import SpanView
from otel_arthur.inference.build import build
from otel_arthur.local import LocalArthur
from tests.genai.matrix.truth import Capture
from tests.support.processes.collectors import ArthurCollector
from tests.support.servers.account import Account
from tests.support.spans.exports import trace_exports
from tests.support.spans.otlp_requests import all_spans
from tests.support.spans.readable import readable_spans
from tests.support.waiting import PATIENCE

SCENARIOS = ("a_invoke", "b_stream", "d_parallel", "k_async", "t_stream_error")
ORDERS = ("half first", "half last")
Door = Callable[[Sequence[ExportTraceServiceRequest], Path], dict[str, dict[str, Any]]]


def request_of(scenario: str) -> ExportTraceServiceRequest:
    """LangChain's spans by OpenLLMetry, with words, and those of Anthropic's client, without."""
    [request] = trace_exports(Capture("main-road-1.5.2", "anthropic", scenario).path.read_bytes())
    return request


def in_two(request: ExportTraceServiceRequest, order: str) -> list[ExportTraceServiceRequest]:
    """The spans of one scope, then those of the other."""
    parts: list[ExportTraceServiceRequest] = []
    for is_of_client in (True, False):
        part = ExportTraceServiceRequest.FromString(request.SerializeToString())
        for of_resource in part.resource_spans:
            kept = [one for one in of_resource.scope_spans if ("anthropic" in one.scope.name) == is_of_client]
            del of_resource.scope_spans[:]
            of_resource.scope_spans.extend(kept)
        parts.append(part)
    return parts if order == "half first" else parts[::-1]


def inspected(request: ExportTraceServiceRequest) -> dict[str, dict[str, Any]]:
    """What `inspect` says: an inference of each call, complete; the model requires an answer's text."""
    calls = [
        one.reading.call for one in judge(span_views(request)) if one.decision in ("inference", "failed")
    ]
    return {
        one.partner_inference_id: {"output_text": ""} | one.data
        for call in calls
        if call is not None
        for one in build(call)
    }


class Live:
    """A local Arthur, behind the exporter or the collector."""

    def __init__(self, folder: Path) -> None:
        self.arthur = LocalArthur()
        self.folder = folder

    def by_exporter(self, requests_: Sequence[ExportTraceServiceRequest]) -> dict[str, dict[str, Any]]:
        with self.arthur as arthur:
            account = Account(arthur)
            model_id = account.onboard("bot")
            exporter = ArthurSpanExporter(
                endpoint=arthur.url, api_key=arthur.api_key, model_id=model_id, spool_dir=self.folder
            )
            for request in requests_:
                exporter.export(list(readable_spans(request)))
            counts = exporter._bridge.delivery.counts
            assert exporter.force_flush(int(PATIENCE * 1000))
            exporter.shutdown()
            assert counts().skipped == {}
            return account.inferences(model_id)

    def by_collector(self, requests_: Sequence[ExportTraceServiceRequest]) -> dict[str, dict[str, Any]]:
        with self.arthur as arthur:
            account = Account(arthur)
            model_id = account.onboard("bot")
            ours = ArthurCollector(
                self.folder,
                "receivers: {otlp: {http: {endpoint: '127.0.0.1:0'}}}\n"
                f"arthur: {{endpoint: '{arthur.url}', api_key: '${{env:KEY}}', "
                f"models: [{{model_id: '{model_id}'}}]}}\n"
                "spool: {directory: ./spool}\nservice: {drain_seconds: 60}\n",
            )
            ours.start(KEY=arthur.api_key)
            try:
                for request in requests_:
                    answer = requests.post(
                        f"{ours.http}/v1/traces",
                        data=request.SerializeToString(),
                        headers={"Content-Type": "application/x-protobuf"},
                        timeout=PATIENCE,
                    )
                    assert answer.status_code == 200
            finally:
                ours.stop()
            assert not any("is skipped" in line["msg"] for line in ours.lines)
            return account.inferences(model_id)


@pytest.mark.parametrize("door", ["exporter", "collector"])
@pytest.mark.parametrize("order", ORDERS)
def test_live_as_in_inspect(tmp_path: Path, door: str, order: str) -> None:
    whole = ExportTraceServiceRequest()
    for scenario in SCENARIOS:
        whole.MergeFrom(request_of(scenario))
    expected = inspected(whole)
    parts = [part for scenario in SCENARIOS for part in in_two(request_of(scenario), order)]
    live = Live(tmp_path / "spool")
    (tmp_path / "spool").mkdir()
    found = live.by_exporter(parts) if door == "exporter" else live.by_collector(parts)
    assert found == expected
    answered = [row for row in found.values() if row["status"] == "ok"]
    assert {row["finish_reason"] for row in answered} == {"stop", "tool_calls"}
    assert all(row["reasoning_tokens"] == 2 for row in answered)


class Caller:
    """An assembly whose halves complete calls, and what it said."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.lines: list[str] = []
        self.assembly = Assembly(
            {}, wants_content=True, may_wait=lambda _: False, skipped=self.skip, completes=True
        )

    def skip(self, reason: str, count: int, line: str) -> None:
        self.counts[reason] += count
        self.lines += [line] if line else []

    def take(self, *views: SpanView) -> Iterator[Assembled]:
        for view in views:
            yield from self.assembly.take(view, 0.0)


def pair() -> tuple[SpanView, SpanView]:
    """The half, and the call."""
    views = list(span_views(request_of("a_invoke")))
    half, call = sorted(views, key=lambda view: "langchain" in view.scope)
    return half, call


def test_a_half_waits_for_its_call() -> None:
    half, call = pair()
    caller = Caller()
    [waits] = caller.take(half)
    assert waits.waits
    assert caller.assembly.holds_spans
    first, second = caller.take(call)
    assert first.call is not None
    assert not first.call.is_half
    assert second.call is not None
    assert second.call.is_half
    assert not caller.assembly.holds_spans
    assert caller.counts == {}


def test_a_half_that_comes_after_its_call_waits_for_nothing() -> None:
    half, call = pair()
    caller = Caller()
    [_, second] = caller.take(call, half)
    assert second.call is not None
    assert second.call.is_half
    assert not caller.assembly.holds_spans


@pytest.mark.parametrize("end", ["time", "the process"])
def test_a_half_alone_is_skipped_with_its_reason(end: str) -> None:
    half, call = pair()
    # Another process, another time: neither is this call's.
    later = replace(call, start_ns=call.start_ns + 10**12, end_ns=call.end_ns + 10**12)
    caller = Caller()
    assert [one.waits for one in caller.take(half, later)] == [True, False]
    assembly = caller.assembly
    [alone] = assembly.expire(SPAN_WAIT_SECONDS) if end == "time" else assembly.release_spans()
    assert alone.skipped
    assert caller.counts == {"no content": 1}
    assert "ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE=content" in caller.lines[0]


def test_without_a_window_a_half_is_skipped_at_once() -> None:
    half, _ = pair()
    caller = Caller()
    caller.assembly = Assembly({}, wants_content=True, may_wait=lambda _: False, skipped=caller.skip)
    [alone] = caller.take(half)
    assert alone.skipped
    assert caller.counts == {"no content": 1}


def test_there_is_a_half_in_each_scenario() -> None:
    for scenario in SCENARIOS:
        halves, calls = in_two(request_of(scenario), "half first")
        assert 0 < len(all_spans(halves)) <= len(all_spans(calls))
