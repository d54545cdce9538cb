"""A program that just ends: its spans are sent, in whatever order provider and exporter came to be."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.support.processes.running import finished
from tests.support.servers.fault_server import MODEL, FaultServer

CALL = """
with trace.get_tracer("app").start_as_current_span("chat m") as span:
    for kind, role in (("input", "user"), ("output", "assistant")):
        message = {"role": role, "parts": [{"type": "text", "content": "hello"}]}
        span.set_attribute(f"gen_ai.{kind}.messages", json.dumps([message]))
    span.set_attributes({"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"})
    print(otel_arthur.inference_id(span))
"""
IMPORTS = """
import json, otel_arthur
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
"""
PROVIDER = "trace.set_tracer_provider(TracerProvider())\n"
ADD = "trace.get_tracer_provider().add_span_processor({}(otel_arthur.ArthurSpanExporter()))\n"
INSTRUMENT = "otel_arthur.instrument(instrumentations=())\n"
ORDERS = {
    "the provider first": PROVIDER + ADD.format("BatchSpanProcessor"),
    "the exporter's module first": "otel_arthur.ArthurSpanExporter\n"
    + PROVIDER
    + ADD.format("BatchSpanProcessor"),
    "instrument beside a provider": PROVIDER + INSTRUMENT,
    "instrument alone": INSTRUMENT,
    "a simple processor": PROVIDER + ADD.format("SimpleSpanProcessor"),
}


@pytest.mark.parametrize("spool", ["on disk", "off"])
@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS.keys())
def test_an_exit_without_a_word_loses_nothing(tmp_path: Path, order: str, spool: str) -> None:
    with FaultServer() as server:
        environ = {
            **os.environ,
            "OTEL_EXPORTER_ARTHUR_ENDPOINT": server.url,
            "OTEL_EXPORTER_ARTHUR_API_KEY": "k",
            "OTEL_EXPORTER_ARTHUR_MODEL_ID": MODEL["id"],
            "OTEL_EXPORTER_ARTHUR_SPOOL_DIR": "off" if spool == "off" else str(tmp_path / "spool"),
        }
        done = finished([sys.executable, "-c", IMPORTS + order + CALL], env=environ)
        assert (done.returncode, done.stderr) == (0, "")
        assert server.accepted_ids == done.stdout.split()
