"""Lines for the log that are said once: the host application's log is not ours to fill."""

from __future__ import annotations

import logging
import threading

_logger = logging.getLogger("otel_arthur")


class Notices:
    """What one part of a process has said. Safe to use from any thread; a forked child makes its own."""

    def __init__(self) -> None:
        self._said: set[str] = set()
        self._lock = threading.Lock()

    def is_first(self, key: str) -> bool:
        with self._lock:
            first = key not in self._said
            self._said.add(key)
            return first

    def say(self, key: str, line: str) -> None:
        """Warn once for each key. `line` holds no prompt and no secret."""
        if self.is_first(key):
            _logger.warning("otel-arthur: %s", line)

    def forget(self, key: str) -> None:
        """It is over: if it comes again it is news."""
        with self._lock:
            self._said.discard(key)
