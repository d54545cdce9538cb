"""A call that will not be sent has no id, and its ground truth is refused at once and counted."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, Decision, Sampler, SamplingResult
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags

import otel_arthur
from otel_arthur.inference.identity import partner_inference_id
from otel_arthur.sdk import bridge as bridges
from tests.support.servers.fault_server import MODEL_ID, FaultServer


class RecordOnly(Sampler):
    def should_sample(self, *_args: object, **_fields: object) -> SamplingResult:
        return SamplingResult(Decision.RECORD_ONLY)

    def get_description(self) -> str:
        return "record only"


@pytest.fixture
def provide(tmp_path: Path) -> Iterator[Callable[..., TracerProvider]]:
    made: list[TracerProvider] = []
    with FaultServer() as server:

        def build(sampler: Sampler | None = None, **settings: Any) -> TracerProvider:
            provider = TracerProvider(sampler=sampler, shutdown_on_exit=False)
            exporter = otel_arthur.ArthurSpanExporter(
                endpoint=server.url, api_key="k", model_id=MODEL_ID, spool_dir=tmp_path / "spool", **settings
            )
            provider.add_span_processor(BatchSpanProcessor(exporter))
            made.append(provider)
            return provider

        yield build
        for provider in made:
            provider.shutdown()


def call(provider: TracerProvider) -> trace.Span:
    with provider.get_tracer("app").start_as_current_span("chat m") as span:
        for kind, role in (("input", "user"), ("output", "assistant")):
            message = {"role": role, "parts": [{"type": "text", "content": "hello"}]}
            span.set_attribute(f"gen_ai.{kind}.messages", json.dumps([message]))
        span.set_attributes({"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"})
    return span


@pytest.mark.parametrize("sampler", [ALWAYS_OFF, RecordOnly()], ids=["dropped", "record only"])
def test_a_span_that_is_not_sampled_has_no_id(
    provide: Callable[..., TracerProvider], sampler: Sampler
) -> None:
    assert otel_arthur.inference_id(call(provide(sampler))) is None


def test_a_trace_that_the_ratio_leaves_out_has_no_id(provide: Callable[..., TracerProvider]) -> None:
    provider = provide(sample_ratio=0.5)
    spans = [call(provider) for _ in range(40)]
    sent = [span for span in spans if otel_arthur.inference_id(span) is not None]
    assert 0 < len(sent) < len(spans)
    (bridge,) = bridges.live()
    provider.force_flush()
    counts = bridge.delivery.counts()
    assert counts.sent + counts.left == len(sent)
    assert sum(counts.skipped.values()) == len(spans) - len(sent)


def test_a_span_of_another_process_has_no_id() -> None:
    context = SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    assert otel_arthur.inference_id(NonRecordingSpan(context)) is None


def test_a_capture_of_calls_that_are_not_sent_gives_none(
    provide: Callable[..., TracerProvider], monkeypatch: pytest.MonkeyPatch
) -> None:
    provider = provide(sample_ratio=0.0)
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    with otel_arthur.capture() as calls:
        call(provider)
    assert calls.inference_ids == [None]
    assert calls[-1] is None


def test_ground_truth_for_a_call_that_is_not_sent_is_refused_and_counted(
    provide: Callable[..., TracerProvider], caplog: pytest.LogCaptureFixture
) -> None:
    provider = provide(sample_ratio=0.0)
    key = call(provider).get_span_context()
    with caplog.at_level(logging.WARNING, "otel_arthur"):
        assert not otel_arthur.record_ground_truth(None, label="x")
        identity = partner_inference_id(f"{key.trace_id:032x}", f"{key.span_id:016x}")
        assert not otel_arthur.record_ground_truth(identity, label="x")
    assert caplog.text.count("ground truth is refused") == 1
    (bridge,) = bridges.live()
    assert bridge.delivery.counts().skipped["ground truth of a call that is not sent"] == 2
