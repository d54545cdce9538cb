"""`ArthurSpanExporter`: finished LLM spans become Arthur inferences."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from otel_arthur.arthur.clients import is_model
from otel_arthur.configuration import Configuration, Problem
from otel_arthur.process import ends
from otel_arthur.sdk import bridge as bridges
from otel_arthur.sdk.bridge import SHUTDOWN_SECONDS
from otel_arthur.sdk.inside_the_sdk import export_what_is_queued, is_force_flush

_logger = logging.getLogger("otel_arthur")


class ArthurSpanExporter(SpanExporter):
    """Sends each LLM call among the finished spans to Arthur as an inference.

    Every argument has an ``OTEL_EXPORTER_ARTHUR_…`` variable and may be left out, or be the text
    that the variable would hold. The constructor never raises, whatever it is given, and makes no
    connection: a bad argument is one line in the log and as if it were not given. `export`
    writes to the spool and returns, and a thread of its own sends from there.

    Args:
        arthur_model: a live ``arthurai.ArthurModel`` to send through, instead of our client.
    """

    def __init__(
        self,
        *,
        endpoint: str | None = None,
        api_key: str | None = None,
        login: str | None = None,
        password: str | None = None,
        organization_id: str | None = None,
        model_id: str | None = None,
        models: Mapping[str, str] | str | None = None,
        timeout: float | None = None,
        compression: str | None = None,
        certificate: str | Path | None = None,
        insecure: bool | None = None,
        spool_dir: str | Path | None = None,
        spool_max_mb: float | None = None,
        input_format: str | None = None,
        attributes: Mapping[str, str] | str | None = None,
        redact: Sequence[str] | str | None = None,
        content: str | None = None,
        sample_ratio: float | None = None,
        errors: str | None = None,
        arthur_model: Any = None,
    ) -> None:
        self._is_shut_down = False
        self._is_handing_over = False
        arguments: dict[str, Any] = {
            "endpoint": endpoint,
            "api_key": api_key,
            "login": login,
            "password": password,
            "organization_id": organization_id,
            "model_id": model_id,
            "models": models,
            "timeout": timeout,
            "compression": compression,
            "certificate": certificate,
            "insecure": insecure,
            "spool_dir": spool_dir,
            "spool_max_mb": spool_max_mb,
            "input_format": input_format,
            "attributes": attributes,
            "redact": redact,
            "content": content,
            "sample_ratio": sample_ratio,
            "errors": errors,
        }
        configuration = Configuration.from_environment(**arguments)
        if arthur_model is not None and not is_model(arthur_model):
            problem = Problem(
                "argument arthur_model",
                "arthur_model",
                f"it is of type {type(arthur_model).__name__}; it must be an arthurai.ArthurModel",
            )
            configuration = replace(configuration, problems=(*configuration.problems, problem))
            arthur_model = None
        self._bridge = bridges.acquire(configuration, arthur_model)
        ends.watch_recorder(self)

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Put the calls among `spans` into the spool; FAILURE only after shutdown.

        Called by the processor's thread it returns at once. Called by ``force_flush`` on the
        application's thread it also waits, bounded by the timeout of one request, for the sending:
        a serverless function is frozen right after.
        """
        if self._is_shut_down:
            return SpanExportResult.FAILURE
        try:
            self._bridge.take_spans(spans)
            if is_force_flush() and not self._is_handing_over:
                self._bridge.flush(self._bridge.configuration.timeout)
        except Exception as error:  # the host application is sacred
            _logger.warning("otel-arthur: a batch of spans was not taken (%s)", type(error).__name__)
            return SpanExportResult.FAILURE
        return SpanExportResult.SUCCESS

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Wait until all that was exported is sent, at most `timeout_millis`; whether it was."""
        return self._is_shut_down or self._bridge.flush(timeout_millis / 1000)

    def shutdown(self, timeout_millis: float = SHUTDOWN_SECONDS * 1000) -> None:
        """Send what can be sent within the limit; the rest stays in the spool. Idempotent."""
        if not self._is_shut_down:
            self._is_shut_down = True
            bridges.release(self._bridge, min(timeout_millis / 1000, SHUTDOWN_SECONDS))

    def hand_over(self) -> None:
        """Put into the spool what the batch processor holds, and what waits for its content."""
        if self._is_shut_down:
            return
        self._is_handing_over = True
        try:
            force_flush: Any = getattr(trace.get_tracer_provider(), "force_flush", None)
            if not export_what_is_queued(self) and force_flush and not ends.is_interpreter_ending():
                # A processor of another make: the provider knows it, and its exit handler.
                ends.within(ends.HAND_OVER_SECONDS, force_flush)
        finally:
            self._is_handing_over = False
        self._bridge.hand_over(ends.HAND_OVER_SECONDS)
