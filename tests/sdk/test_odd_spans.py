"""A span of an unforeseen shape costs no other, and is counted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExportResult
from opentelemetry.trace import INVALID_SPAN_CONTEXT

from otel_arthur import ArthurSpanExporter
from otel_arthur.delivery.books.books import Counts
from tests.sdk.test_times import CALL
from tests.support.servers.fault_server import MODEL_ID

NOBODY = "http://127.0.0.1:9"
ENGINE = {"engine_endpoint": NOBODY, "engine_api_key": "k"}


@pytest.fixture(params=[{}, ENGINE], ids=["v3", "v3 and the Engine"])
def exporter(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ArthurSpanExporter]:
    made = ArthurSpanExporter(
        endpoint=NOBODY, api_key="k", model_id=MODEL_ID, spool_dir=tmp_path / "spool", **request.param
    )
    yield made
    made.shutdown(0)


def counts(exporter: ArthurSpanExporter) -> Counts:
    found = exporter._bridge.delivery.counts()
    assert found.unaccounted == 0
    return found


def targets(exporter: ArthurSpanExporter) -> int:
    return len(exporter._bridge.delivery._run.targets)


def recorded(exporter: ArthurSpanExporter, *odd: dict[str, Any]) -> None:
    """Three calls and, in the midst of them, spans that are begun with `odd`."""
    provider = TracerProvider(shutdown_on_exit=False)
    processor = BatchSpanProcessor(exporter, schedule_delay_millis=600_000)
    provider.add_span_processor(processor)
    tracer = provider.get_tracer("app")
    for begin in ({}, *odd, {}, {}):
        name = "job" if "attributes" in begin else "chat m"
        tracer.start_span(name, **{"attributes": CALL, **begin}).end()
    processor.force_flush()


def test_a_span_that_is_no_call_and_cannot_be_read(exporter: ArthurSpanExporter) -> None:
    recorded(exporter, {"attributes": {"a": 1}, "start_time": datetime.now()})
    found = counts(exporter)
    assert found.left == 3 * targets(exporter)
    # v3 wants no such span, and does not look at it.
    assert found.skipped == ({"unreadable": 1} if targets(exporter) == 2 else {})


def test_a_call_that_began_at_a_float(exporter: ArthurSpanExporter) -> None:
    recorded(exporter, {"start_time": 1e18})
    found = counts(exporter)
    assert (found.left, found.skipped) == (4 * targets(exporter), {})


@pytest.mark.parametrize("context", [None, INVALID_SPAN_CONTEXT])
def test_a_call_without_a_valid_context(exporter: ArthurSpanExporter, context: Any) -> None:
    span = ReadableSpan("chat m", context, attributes=CALL, start_time=1, end_time=2)
    assert exporter.export([span]) is SpanExportResult.SUCCESS
    assert counts(exporter).skipped == {"invalid id": 1}
