"""Having the log processors export what they hold, within a time that is kept."""

from __future__ import annotations

import logging

from otel_arthur.process import ends
from otel_arthur.process.never_raises import never_raises


def flush_log_records(timeout: float) -> None:
    """Flush the global logger provider, for at most `timeout` seconds.

    The SDK's own flush keeps to no timeout (opentelemetry-python#4568), and the log records of
    other exporters go with ours, so it has a thread of its own.
    """
    try:
        from opentelemetry._logs import get_logger_provider
    except ImportError:  # private in the API 1.39 to 1.45; without it no log processor can be asked
        return
    flush = getattr(get_logger_provider(), "force_flush", None)
    if flush is None:
        return

    def run() -> None:
        # Another exporter's error is not ours to tell.
        with never_raises("log records could not be flushed", logging.DEBUG):
            flush(int(timeout * 1000))

    ends.within(timeout, run)
