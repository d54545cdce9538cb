"""A span with times that no clock shows is sent as any other, and spoils no other."""

from __future__ import annotations

from pathlib import Path

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from otel_arthur import ArthurSpanExporter
from otel_arthur.genai.otlp.views import span_view
from tests.support.servers.fault_server import MODEL_ID, FaultServer
from tests.support.waiting import PATIENCE

LAST = 2**63 - 1
CALL = {
    "gen_ai.operation.name": "chat",
    "gen_ai.request.model": "m",
    "gen_ai.input.messages": '[{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]',
    "gen_ai.output.messages": '[{"role": "assistant", "parts": [{"type": "text", "content": "hello"}]}]',
}


@pytest.mark.parametrize("is_in_memory", [False, True], ids=["disk", "memory"])
@pytest.mark.parametrize(
    ("start", "end"),
    [(0, 2**64 - 1), (2**63, 2**63), (2**64 - 1, 1), (10**30, 10**40), (-(10**30), -5)],
)
def test_a_batch_with_impossible_times(tmp_path: Path, start: int, end: int, is_in_memory: bool) -> None:
    folder = tmp_path / "spool"
    if is_in_memory:
        folder.write_text("a file: nothing can be kept here")
    with FaultServer() as server:
        provider = TracerProvider(shutdown_on_exit=False)
        exporter = ArthurSpanExporter(
            endpoint=server.url, api_key="k", model_id=MODEL_ID, spool_dir=folder, timeout=PATIENCE
        )
        provider.add_span_processor(BatchSpanProcessor(exporter))
        tracer = provider.get_tracer("app")
        for number in range(3):
            is_odd = number == 1
            span = tracer.start_span("chat m", start_time=start if is_odd else None, attributes=CALL)
            span.end(end if is_odd else None)
        provider.force_flush()
        exporter.force_flush(int(1000 * PATIENCE))
        assert len(set(server.accepted_ids)) == 3
        provider.shutdown()


def test_times_of_otlp_stay_within_what_a_database_takes() -> None:
    span = Span(name="chat m", start_time_unix_nano=2**63, end_time_unix_nano=2**64 - 1)
    view = span_view(span, "", "", {})
    assert (view.start_ns, view.end_ns) == (LAST, LAST)
    view = span_view(Span(name="chat m", start_time_unix_nano=5), "", "", {})
    assert (view.start_ns, view.end_ns) == (5, 5)
