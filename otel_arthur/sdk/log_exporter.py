"""`ArthurLogExporter`: GenAI events give their content to the LLM spans that they belong to."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

from otel_arthur.genai.events.log_events import LogEvent, from_sdk_log
from otel_arthur.process import ends
from otel_arthur.process.never_raises import never_raises
from otel_arthur.sdk import bridge as bridges
from otel_arthur.sdk.logs_of_the_sdk import LogRecordExporter, LogRecordExportResult, ReadableLogRecord

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from otel_arthur.configuration.arguments import Settings

_logger = logging.getLogger("otel_arthur")


class ArthurLogExporter(LogRecordExporter):
    """Joins the messages in GenAI log events to the calls of `ArthurSpanExporter`; sends no logs.

    For instrumentations that write content into events and not onto spans
    (``OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=event_only``). The settings of the span
    exporters decide: an argument is one line in the log. While one lives, a call without messages
    waits in memory for its event, 15 seconds at most. All other log records are ignored.
    """

    def __init__(self, /, **settings: Unpack[Settings]) -> None:
        self._is_shut_down = False
        if settings:
            _logger.warning(
                "otel-arthur: ArthurLogExporter ignores its arguments, for ArthurSpanExporter's decide: %s",
                ", ".join(settings),
            )
        bridges.open_log_exporter()

    def export(self, batch: Sequence[ReadableLogRecord]) -> LogRecordExportResult:
        """Take the GenAI events among `batch`; FAILURE only after shutdown."""
        if self._is_shut_down:
            return LogRecordExportResult.FAILURE
        # Never above debug: a warning may become a log record, which comes back here.
        with never_raises("a batch of events was not taken", logging.DEBUG):
            events = [event for record in batch if (event := _event(record)) is not None]
            if events:
                bridges.offer(events)
            return LogRecordExportResult.SUCCESS
        return LogRecordExportResult.FAILURE

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Nothing waits here: what `export` took is with its span or waits for it."""
        return True

    def shutdown(self, timeout_millis: float = ends.EXIT_SECONDS * 1000) -> None:
        """After this no span waits for its event any more. Idempotent."""
        if not self._is_shut_down:
            self._is_shut_down = True
            ends.attend(lambda: bridges.close_log_exporter(timeout_millis / 1000))


def _event(record: ReadableLogRecord) -> LogEvent | None:
    # One record of a shape never seen must not cost its batch.
    with never_raises("a log record could not be read", logging.DEBUG):
        return from_sdk_log(record)
    return None
