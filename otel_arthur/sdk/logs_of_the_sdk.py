"""The SDK's logs: private in its releases so far, so their names and their flush stand here alone.

Read from opentelemetry-sdk 1.39.0 and 1.45.2 (``opentelemetry.sdk._logs.export``). Where that module is gone,
the exporter is a class of the same methods: a log processor calls no others.
"""

from __future__ import annotations

import logging
from enum import Enum
from typing import TYPE_CHECKING, Any

from otel_arthur.process import ends
from otel_arthur.process.never_raises import never_raises

if TYPE_CHECKING:
    from opentelemetry.sdk._logs import ReadableLogRecord
    from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
else:
    try:
        from opentelemetry.sdk._logs import ReadableLogRecord
        from opentelemetry.sdk._logs.export import LogRecordExporter, LogRecordExportResult
    except ImportError:
        logging.getLogger("otel_arthur").warning(
            "otel-arthur: this opentelemetry-sdk has no module opentelemetry.sdk._logs that we know; "
            "messages in log events may not arrive. Use the completion hook, or opentelemetry-sdk 1.45"
        )
        ReadableLogRecord = object

        class LogRecordExporter:
            """What a log processor calls."""

        class LogRecordExportResult(Enum):
            """As the SDK has it."""

            SUCCESS = 0
            FAILURE = 1


__all__ = ["LogRecordExportResult", "LogRecordExporter", "ReadableLogRecord", "flush_log_records"]


def flush_log_records(timeout: float) -> None:
    """Flush the global logger provider, for at most `timeout` seconds.

    The SDK's own flush keeps to no timeout (opentelemetry-python#4568), and the log records of
    other exporters go with ours, so it has a thread of its own.
    """
    try:
        from opentelemetry._logs import get_logger_provider
    except ImportError:  # private in the API 1.39 to 1.45; without it no log processor can be asked
        return
    flush: Any = getattr(get_logger_provider(), "force_flush", None)

    def run() -> None:
        # Another exporter's error is not ours to tell.
        with never_raises("log records could not be flushed", logging.DEBUG):
            flush(int(timeout * 1000))

    if flush is not None:
        ends.within(timeout, run)
