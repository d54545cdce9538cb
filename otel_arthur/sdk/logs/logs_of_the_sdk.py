"""The SDK's logs: private in its releases so far, so they stand here alone.

Read from opentelemetry-sdk 1.39.0 and 1.45.2 (``opentelemetry.sdk._logs.export``). Where that module is gone,
the exporter is a class of the same methods: a log processor calls no others.
"""

from __future__ import annotations

import logging
from enum import Enum
from typing import TYPE_CHECKING

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


__all__ = ["LogRecordExportResult", "LogRecordExporter", "ReadableLogRecord"]
