"""An application whose calls' content comes in log events."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from opentelemetry import trace
from opentelemetry._logs import LogRecord
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import (
    BatchLogRecordProcessor,
)
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from otel_arthur import ArthurLogExporter, ArthurSpanExporter
from otel_arthur.local.server import LocalArthur

NEVER_MILLIS = 3_600_000
"""A processor with this delay exports only when it is flushed or shut down."""


class Application:
    """Both providers with an exporter of ours each, in the order of building asked for."""

    def __init__(self, arthur: LocalArthur, model_id: str, tmp_path: Path, first: str = "spans") -> None:
        self.tracers = TracerProvider(shutdown_on_exit=False)
        self.loggers = LoggerProvider(shutdown_on_exit=False)
        if first == "logs":
            logs = ArthurLogExporter()
        self.exporter = ArthurSpanExporter(
            endpoint=arthur.url, api_key=arthur.api_key, model_id=model_id, spool_dir=tmp_path / "spool"
        )
        if first == "spans":
            logs = ArthurLogExporter()
        self.tracers.add_span_processor(BatchSpanProcessor(self.exporter, schedule_delay_millis=NEVER_MILLIS))
        self.loggers.add_log_record_processor(
            BatchLogRecordProcessor(logs, schedule_delay_millis=NEVER_MILLIS)
        )

    def call(self, words: str, style: str = "details", failed: bool = False, note: str = "") -> None:
        """What the official instrumentations write with ``event_only``: a bare span, content in an event."""
        span = self.tracers.get_tracer("genai").start_span("chat m")
        span.set_attributes({"gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "note": note})
        context = trace.set_span_in_context(span)
        if failed:
            span.set_status(trace.StatusCode.ERROR)
        for name, attributes, body in EVENTS[style](words, failed):
            record = LogRecord(event_name=name, attributes=attributes, body=body, context=context)
            self.loggers.get_logger("genai").emit(record)
        span.end()

    def counts(self) -> dict[str, int]:
        return dict(self.exporter._bridge.delivery.counts().skipped)


def details(words: str, failed: bool) -> list[tuple[str, dict[str, Any], Any]]:
    answer = {"role": "assistant", "parts": [{"type": "text", "content": words}], "finish_reason": "stop"}
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": f"say {words}"}]}],
        **({} if failed else {"gen_ai.output.messages": [answer]}),
    }
    return [("gen_ai.client.inference.operation.details", attributes, None)]


def messages(words: str, failed: bool) -> list[tuple[str, dict[str, Any], Any]]:
    """The older form, one event a message; the prompt's comes when the call begins."""
    answer = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": words}}
    system = {"gen_ai.system": "openai"}
    prompt = ("gen_ai.user.message", system, {"content": f"say {words}"})
    return [prompt] if failed else [prompt, ("gen_ai.choice", system, answer)]


EVENTS = {"details": details, "messages": messages}


def texts(arthur: LocalArthur, model_id: str) -> list[tuple[str, str]]:
    rows = arthur.store.inferences(model_id, limit=1000).inferences
    return sorted((row.inference_data["input_text"], row.inference_data["output_text"]) for row in rows)
