"""Runs inside a capture environment: instruments, runs scenarios one by one, writes what was emitted.

Speaks with ``recapture.py`` over stdin and stdout: the name of each scenario when it is over, then
waits for a line, so that the calls which the server saw can be told apart by scenario.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
from collections.abc import Callable
from pathlib import Path

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk import _logs as sdk_logs
from opentelemetry.sdk._logs import export as logs_export
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

# Renamed between SDK 1.38 and 1.45.
InMemoryLogs = getattr(logs_export, "InMemoryLogRecordExporter", None) or logs_export.InMemoryLogExporter

Scenarios = dict[str, Callable[[], object]]


def record(scenarios: Scenarios) -> None:
    """The main of a scenario program: ``--out DIR --instrumentor module:Class... [--only NAME]...``."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--instrumentor", action="append", required=True)
    parser.add_argument("--arguments", type=json.loads, default={})
    parser.add_argument("--only", action="append", default=[])
    options = parser.parse_args()

    spans, logs = InMemorySpanExporter(), InMemoryLogs()
    tracer_provider = TracerProvider()
    tracer_provider.add_span_processor(SimpleSpanProcessor(spans))
    logger_provider = sdk_logs.LoggerProvider()
    logger_provider.add_log_record_processor(logs_export.SimpleLogRecordProcessor(logs))
    trace.set_tracer_provider(tracer_provider)
    for name in options.instrumentor:
        module, _, class_name = name.partition(":")
        instrumentor = getattr(importlib.import_module(module), class_name)(**options.arguments)
        instrumentor.instrument(tracer_provider=tracer_provider, logger_provider=logger_provider)

    for name, run in scenarios.items():
        if options.only and name not in options.only:
            continue
        try:
            run()
        except Exception as error:
            # Scenarios that fail on purpose catch their own error.
            raise SystemExit(f"{name}: {type(error).__name__}: {error}") from error
        finished, emitted = spans.get_finished_spans(), logs.get_finished_logs()
        (options.out / f"{name}.pb").write_bytes(encode_spans(finished).SerializeToString())
        if emitted:
            (options.out / f"{name}.logs.pb").write_bytes(encode_logs(emitted).SerializeToString())
        spans.clear()
        logs.clear()
        print(name, flush=True)
        input()
    # Background threads of the instrumented libraries must not hold the recorder up.
    os._exit(0)
