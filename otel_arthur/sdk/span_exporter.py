"""`ArthurSpanExporter`: finished LLM spans become Arthur inferences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from otel_arthur.process import ends
from otel_arthur.process.never_raises import never_raises
from otel_arthur.process.threads import thread_of
from otel_arthur.sdk import bridge as bridges
from otel_arthur.sdk.inside_the_sdk import export_what_is_queued, is_force_flush
from otel_arthur.sdk.setup.settings import configured
from otel_arthur.sdk.symptoms import say_silence, say_twice

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from otel_arthur.configuration.arguments import Settings


class ArthurSpanExporter(SpanExporter):
    """Sends each LLM call among the finished spans to Arthur as an inference.

    The constructor never raises and makes no connection: an argument that is bad, or is no setting, is one
    line in the log and as if it were not given. `export` writes to the spool and returns, and a thread of its
    own sends from there.

    Args:
        **settings: as in docs/reference/settings.md, each by the end of its variable's name in small letters:
            the text that the variable would hold, or a Python value.
        arthur_model: a live ``arthurai.ArthurModel`` to send through, instead of our client.
    """

    def __init__(self, /, *, arthur_model: Any = None, **settings: Unpack[Settings]) -> None:
        self._is_shut_down = True
        self._is_handing_over = False
        with never_raises("spans are not recorded, as the exporter cannot be set up"):
            configuration, arthur_model = configured(arthur_model, settings)
            self._bridge = bridges.acquire(configuration, arthur_model)
            ends.watch_recorder(self)
            self._is_shut_down = False

    def configure(self, *, arthur_model: Any = None, **settings: Unpack[Settings]) -> bool:
        """From now on, be as if made with these arguments; False after shutdown, when nothing changes.

        What is in the spool goes where it was meant to go.
        """
        if self._is_shut_down:
            return False
        configuration, arthur_model = configured(arthur_model, settings)
        if arthur_model is None and configuration == self._bridge.configuration:
            return True
        before, self._bridge = self._bridge, bridges.acquire(configuration, arthur_model)
        seconds = before.configuration.exit_timeout
        ends.start(thread_of(lambda: bridges.release(before, seconds), "otel-arthur-release"))
        return True

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Put the calls among `spans` into the spool; FAILURE after shutdown, and where one was not kept.

        Called by the processor's thread it returns at once. Called by ``force_flush`` on the
        application's thread it also waits, bounded by the timeout of one request, for the sending:
        a serverless function is frozen right after.
        """
        if self._is_shut_down:
            return SpanExportResult.FAILURE
        with never_raises("a batch of spans was not taken"):
            say_twice()
            is_kept = self._bridge.take_spans(spans)
            if is_force_flush() and not self._is_handing_over:
                self._bridge.flush(self._bridge.configuration.timeout)
            return SpanExportResult.SUCCESS if is_kept else SpanExportResult.FAILURE
        return SpanExportResult.FAILURE

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Wait until all that was exported is sent, at most `timeout_millis`; whether it was."""
        with never_raises("a flush ended early"):
            return self._is_shut_down or self._bridge.flush(timeout_millis / 1000)
        return False

    def shutdown(self, timeout_millis: float | None = None) -> None:
        """Send while Arthur accepts rows, within the limit; the rest stays in the spool. Idempotent.

        Args:
            timeout_millis: less than ``OTEL_EXPORTER_ARTHUR_EXIT_TIMEOUT``, which is the limit otherwise.
        """
        if not self._is_shut_down:
            self._is_shut_down = True
            limit = self._bridge.configuration.exit_timeout
            seconds = limit if timeout_millis is None else min(timeout_millis / 1000, limit)
            with never_raises("the shutdown ended early"):
                ends.attend(lambda: bridges.release(self._bridge, seconds))
                say_silence(self._bridge.delivery.counts())

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
