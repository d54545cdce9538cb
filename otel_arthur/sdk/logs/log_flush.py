"""Having the log processors export what they hold, within a time that is kept."""

from __future__ import annotations

import logging
import threading

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

    thread = threading.Thread(target=run, name="otel-arthur-log-flush", daemon=True)
    if start(thread):
        thread.join(timeout)
    else:
        run()


def start(thread: threading.Thread) -> bool:
    """Start a thread; False at the interpreter's end, when Python 3.12 and later have no new ones."""
    try:
        thread.start()
    except RuntimeError:
        return False
    return True
