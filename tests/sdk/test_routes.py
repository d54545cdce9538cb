"""Calls that no route takes are told once, by service and model, and wait."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from otel_arthur import ArthurSpanExporter


def message(role: str) -> str:
    return json.dumps([{"role": role, "parts": [{"type": "text", "content": "SECRET"}]}])


def test_no_route_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    exporter = ArthurSpanExporter(
        endpoint="http://127.0.0.1:9", api_key="k", models={"support-*": "m"}, spool_dir=tmp_path
    )
    provider = TracerProvider(resource=Resource({"service.name": "billing"}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    with caplog.at_level(logging.WARNING, logger="otel_arthur"):
        for _ in range(3):
            with provider.get_tracer("app").start_as_current_span("chat") as span:
                span.set_attributes(
                    {
                        "gen_ai.operation.name": "chat",
                        "gen_ai.request.model": "gpt-4o",
                        "gen_ai.input.messages": message("user"),
                        "gen_ai.output.messages": message("assistant"),
                    }
                )
        provider.shutdown()

    (said,) = [record.getMessage() for record in caplog.records if "no route" in record.getMessage()]
    assert "'billing'" in said
    assert "'gpt-4o'" in said
    assert "SECRET" not in caplog.text
