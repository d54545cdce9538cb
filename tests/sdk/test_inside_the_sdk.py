"""The SDK's insides that we know of, in the SDK that is installed, and with each of them removed.

Part of the tests that run with the oldest and the newest supported SDK.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from otel_arthur.sdk import inside_the_sdk
from otel_arthur.sdk.inside_the_sdk import attributes_of, export_what_is_queued, is_force_flush, view_of
from tests.support.processes.running import finished


class Recorder(SpanExporter):
    def __init__(self) -> None:
        self.flushes: list[bool] = []

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.flushes += [self._looks()] * len(spans)
        return SpanExportResult.SUCCESS

    def _looks(self) -> bool:
        return is_force_flush()


class Public:
    """A span, or a part of one, of which only the public names are left."""

    def __init__(self, inner: Any) -> None:
        self._otel_inner = inner

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        value = getattr(self._otel_inner, name)
        if isinstance(value, Mapping):
            return dict(value)
        return Public(value) if isinstance(value, Resource) else value


@pytest.fixture
def span() -> ReadableSpan:
    provider = TracerProvider(resource=Resource({"service.name": "s"}), shutdown_on_exit=False)
    with provider.get_tracer("scope", "1").start_as_current_span("chat") as span:
        span.set_attributes({"gen_ai.operation.name": "chat", "numbers": [1, 2]})
        span.add_event("gen_ai.user.message", {"content": "hello"})
    assert isinstance(span, ReadableSpan)
    return span


def test_the_plain_attributes_are_there(span: ReadableSpan) -> None:
    """Not a fallback: the ordinary path is the fast one in this SDK."""
    assert type(attributes_of(span)) is dict


def test_a_span_reads_the_same_without_the_private_fields(span: ReadableSpan) -> None:
    public: Any = Public(span)
    assert view_of(public, attributes_of(public)) == view_of(span, attributes_of(span))


def queued() -> tuple[TracerProvider, Recorder]:
    exporter = Recorder()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=3_600_000))
    provider.get_tracer("scope").start_span("a").end()
    return provider, exporter


def test_the_processor_of_an_exporter_is_found_whatever_the_provider() -> None:
    provider, exporter = queued()
    assert export_what_is_queued(exporter)
    assert exporter.flushes == [True]
    provider.shutdown()
    assert not export_what_is_queued(exporter)


def test_where_the_processors_thread_is_another_nothing_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inside_the_sdk, "_PROCESSOR_THREADS", ())
    provider, exporter = queued()
    assert not export_what_is_queued(exporter)
    provider.shutdown()
    assert exporter.flushes == [False]


WITHOUT = """
import sys, logging
logging.basicConfig(stream=sys.stdout, format="%(message)s")
sys.modules["{gone}"] = None
{program}
"""
LOGS = """
from otel_arthur import ArthurLogExporter
exporter = ArthurLogExporter()
print(exporter.export([]).name)
exporter.shutdown()
"""
CONFIGURATOR = """
from otel_arthur.sdk.setup.exporters import set_up
set_up()
from opentelemetry import trace
from otel_arthur.sdk import bridge
print(type(trace.get_tracer_provider()).__module__, len(bridge.live()))
"""


@pytest.mark.parametrize(
    ("gone", "program", "says"),
    [
        ("opentelemetry.sdk._logs", LOGS, "SUCCESS"),
        ("opentelemetry.sdk._configuration", CONFIGURATOR, "opentelemetry.sdk.trace 1"),
    ],
)
def test_a_private_module_that_is_gone_is_one_line(
    gone: str, program: str, says: str, tmp_path: Path
) -> None:
    pytest.importorskip("opentelemetry.instrumentation")
    done = finished(
        [sys.executable, "-c", WITHOUT.format(gone=gone, program=program)],
        env={
            **os.environ,
            "OTEL_TRACES_EXPORTER": "arthur",
            "OTEL_EXPORTER_ARTHUR_ENDPOINT": "http://127.0.0.1:9",
            "OTEL_EXPORTER_ARTHUR_API_KEY": "k",
            "OTEL_EXPORTER_ARTHUR_MODEL_ID": "m",
            "OTEL_EXPORTER_ARTHUR_SPOOL_DIR": str(tmp_path),
        },
    )
    line, last = done.stdout.splitlines()
    assert gone in line
    assert last == says
    assert done.stderr == ""
