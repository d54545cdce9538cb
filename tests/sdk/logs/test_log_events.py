"""Content in log events reaches the span's call through the SDK, whichever exporter comes or goes first."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry import trace
from opentelemetry._logs import LogRecord
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import (
    LogRecordExportResult,
    SimpleLogRecordProcessor,
)

from otel_arthur import ArthurLogExporter
from otel_arthur.genai.events.joiner import MAX_SPAN_BYTES, Joiner
from otel_arthur.local.server import LocalArthur
from otel_arthur.sdk import bridge as bridges
from tests.sdk.logs.log_event_application import EVENTS, Application, details, texts
from tests.support.processes.running import finished
from tests.support.waiting import PATIENCE, eventually


@pytest.fixture(autouse=True)
def _no_bridge_is_left() -> Iterator[None]:
    assert bridges.current() is None
    yield
    assert bridges.current() is None


ORDERS = pytest.mark.parametrize("shut_down", [("spans", "logs"), ("logs", "spans")], ids="-then-".join)
BUILT = pytest.mark.parametrize("first", ["spans", "logs"])
STYLES = pytest.mark.parametrize("style", ["details", "messages"])


@BUILT
@ORDERS
@STYLES
def test_shut_down_in_either_order(
    arthur: LocalArthur, model_id: str, tmp_path: Path, first: str, shut_down: tuple[str, str], style: str
) -> None:
    application = Application(arthur, model_id, tmp_path, first)
    application.call("one", style)
    application.call("two", style)
    for which in shut_down:
        (application.tracers if which == "spans" else application.loggers).shutdown()
    assert texts(arthur, model_id) == [("Human: say one", "one"), ("Human: say two", "two")]
    assert application.counts() == {}


@BUILT
@pytest.mark.parametrize("flush", [("spans", "logs"), ("logs", "spans")], ids="-then-".join)
@STYLES
def test_flushed_in_either_order(
    arthur: LocalArthur, model_id: str, tmp_path: Path, first: str, flush: tuple[str, str], style: str
) -> None:
    application = Application(arthur, model_id, tmp_path, first)
    application.call("one", style)
    application.call("boom", style, failed=True)
    for which in flush:
        (application.tracers if which == "spans" else application.loggers).force_flush()
    application.tracers.shutdown()
    application.loggers.shutdown()
    assert texts(arthur, model_id) == [("Human: say boom", ""), ("Human: say one", "one")]


def test_an_attribute_of_an_event_that_has_no_value_hides_none_of_the_span(
    arthur: LocalArthur, model_id: str, tmp_path: Path
) -> None:
    application = Application(arthur, model_id, tmp_path)
    span = application.tracers.get_tracer("genai").start_span("chat m")
    span.set_attributes({"gen_ai.operation.name": "chat", "session.id": "s1"})
    ((name, attributes, _),) = details("one", False)
    record = LogRecord(
        event_name=name,
        attributes={**attributes, "gen_ai.conversation.id": None},
        context=trace.set_span_in_context(span),
    )
    application.loggers.get_logger("genai").emit(record)
    span.end()
    application.loggers.shutdown()
    application.tracers.shutdown()
    (row,) = arthur.store.inferences(model_id, limit=10).inferences
    assert row.inference_data["conversation_id"] == "s1"


def test_content_that_never_comes_is_counted_and_what_failed_is_still_recorded(
    arthur: LocalArthur, model_id: str, tmp_path: Path
) -> None:
    application = Application(arthur, model_id, tmp_path)
    EVENTS["none"] = lambda words, failed: []
    application.call("lost", style="none")
    application.call("boom", style="none", failed=True)
    application.tracers.shutdown()
    application.loggers.shutdown()
    assert texts(arthur, model_id) == [("", "")]
    assert application.counts() == {"no content": 1}


def test_large_spans_that_wait_are_decided_early_and_counted(
    arthur: LocalArthur, model_id: str, tmp_path: Path
) -> None:
    application = Application(arthur, model_id, tmp_path)
    EVENTS["none"] = lambda words, failed: []
    large = MAX_SPAN_BYTES // 3
    for number in range(3):
        application.call(f"large {number}", style="none", note=f"{number}" * large)
    application.tracers.force_flush()
    assert application.counts() == {"no content": 1}, "the oldest made room"
    application.tracers.shutdown()
    application.loggers.shutdown()
    assert application.counts() == {"no content": 3}


def test_an_event_without_its_span_is_counted(arthur: LocalArthur, model_id: str, tmp_path: Path) -> None:
    application = Application(arthur, model_id, tmp_path)
    unsampled = trace.NonRecordingSpan(trace.SpanContext(7, 7, is_remote=False))
    ((name, attributes, _),) = details("orphan", False)
    record = LogRecord(event_name=name, attributes=attributes, context=trace.set_span_in_context(unsampled))
    application.loggers.get_logger("genai").emit(record)
    application.loggers.shutdown()
    application.tracers.shutdown()
    assert texts(arthur, model_id) == []
    assert application.counts() == {"event without its span": 1}


def test_without_a_log_exporter_a_call_without_words_waits_for_its_double_alone(
    arthur: LocalArthur, model_id: str, tmp_path: Path
) -> None:
    application = Application(arthur, model_id, tmp_path)
    application.loggers.shutdown()
    EVENTS["none"] = lambda words, failed: []
    application.call("bare", style="none")
    application.tracers.force_flush()
    assert application.exporter._bridge._assembly.holds_spans
    application.tracers.shutdown()
    assert application.counts() == {"no content": 1}


def test_a_span_is_decided_in_time_even_if_nothing_more_is_exported(
    arthur: LocalArthur, model_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bridges, "SPAN_WAIT_SECONDS", 0.2)
    application = Application(arthur, model_id, tmp_path)
    application.exporter._bridge._assembly._joiner = Joiner(span_wait=0.1)
    EVENTS["none"] = lambda words, failed: []
    application.call("boom", style="none", failed=True)
    application.tracers.force_flush()
    eventually(lambda: application.exporter.force_flush() and texts(arthur, model_id), "the call arrives")
    application.tracers.shutdown()
    application.loggers.shutdown()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_leaves_what_waits_to_its_parent(
    arthur: LocalArthur, model_id: str, tmp_path: Path
) -> None:
    application = Application(arthur, model_id, tmp_path)
    application.call("one")
    application.tracers.force_flush()
    bridge = application.exporter._bridge
    assert bridge._assembly.holds_spans
    with bridge._lock:
        child = os.fork()
        if child == 0:
            os._exit(int(bridge._assembly.holds_spans or not bridge._lock.acquire(timeout=PATIENCE)))
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    application.loggers.shutdown()
    application.tracers.shutdown()
    assert texts(arthur, model_id) == [("Human: say one", "one")]


def test_ordinary_log_records_are_passed_over(arthur: LocalArthur, model_id: str, tmp_path: Path) -> None:
    application = Application(arthur, model_id, tmp_path)
    application.loggers.get_logger("app").emit(LogRecord(body="started", attributes={"gen_ai.system": "x"}))
    application.loggers.shutdown()
    application.tracers.shutdown()
    assert application.counts() == {}


def test_after_shutdown_the_exporter_refuses() -> None:
    exporter = ArthurLogExporter()
    exporter.shutdown()
    exporter.shutdown()
    assert exporter.export([]) is LogRecordExportResult.FAILURE
    assert exporter.force_flush()


def test_a_simple_processor_on_the_applications_thread_joins_too(
    arthur: LocalArthur, model_id: str, tmp_path: Path
) -> None:
    application = Application(arthur, model_id, tmp_path)
    application.loggers.shutdown()
    application.loggers = LoggerProvider(shutdown_on_exit=False)
    application.loggers.add_log_record_processor(SimpleLogRecordProcessor(ArthurLogExporter()))
    application.call("at once")
    application.tracers.shutdown()
    application.loggers.shutdown()
    assert texts(arthur, model_id) == [("Human: say at once", "at once")]


FLUSHES = """
import os, sys
from opentelemetry import _logs, trace
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from otel_arthur import ArthurLogExporter, ArthurSpanExporter

tracers, loggers = TracerProvider(), LoggerProvider()
never = {"schedule_delay_millis": 3_600_000}
tracers.add_span_processor(BatchSpanProcessor(ArthurSpanExporter(), **never))
loggers.add_log_record_processor(BatchLogRecordProcessor(ArthurLogExporter(), **never))
_logs.set_logger_provider(loggers)
with tracers.get_tracer("genai").start_as_current_span("chat m") as span:
    span.set_attributes({"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"})
    message = [{"role": "user", "parts": [{"type": "text", "content": "frozen right after"}]}]
    loggers.get_logger("genai").emit(_logs.LogRecord(
        event_name="gen_ai.client.inference.operation.details", context=trace.set_span_in_context(span),
        attributes={"gen_ai.input.messages": message, "gen_ai.output.messages": message},
    ))
tracers.force_flush()
os._exit(0)
"""


def test_a_flush_of_the_spans_fetches_their_events(
    arthur: LocalArthur, model_id: str, tmp_path: Path
) -> None:
    """As in a serverless function: only the tracer provider is flushed, then the process is gone."""
    environ = {
        "OTEL_EXPORTER_ARTHUR_ENDPOINT": arthur.url,
        "OTEL_EXPORTER_ARTHUR_API_KEY": arthur.api_key,
        "OTEL_EXPORTER_ARTHUR_MODEL_ID": model_id,
        "OTEL_EXPORTER_ARTHUR_SPOOL_DIR": str(tmp_path / "child"),
    }
    done = finished([sys.executable, "-c", FLUSHES], env=environ)
    assert done.returncode == 0, done.stderr
    assert texts(arthur, model_id) == [("Human: frozen right after", "frozen right after")]
