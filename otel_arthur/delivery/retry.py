"""When to try a destination again: exponential backoff with full jitter, and slow retries for what a
person must mend."""

from __future__ import annotations

import random
import threading
import time

FIRST_SECONDS = 1.0
MAX_SECONDS = 60.0
SLOW_SECONDS = 60.0
"""Between tries where only a change of key, model or permission can help."""


def backoff(attempt: int) -> float:
    """Seconds to wait after the `attempt`-th failure in a row, at random up to the bound (full jitter)."""
    return random.uniform(0.0, min(FIRST_SECONDS * 2.0 ** min(attempt - 1, 16), MAX_SECONDS))


class Pacer:
    """Whether a destination may be tried now. After a failure one sender at a time tries it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures = 0
        self._row = 0
        """Failures since the last success."""
        self._open_at = 0.0
        self._prober: int | None = None
        self._is_asked_to_wait = False
        self._reason = ""

    @property
    def failures(self) -> int:
        """Failures so far; one more at each."""
        return self._failures

    @property
    def seconds_left(self) -> float:
        """Until it may be tried again; 0 for now."""
        return max(self._open_at - time.monotonic(), 0.0)

    def enter(self) -> bool:
        """Whether the caller may try; it must then `leave`."""
        with self._lock:
            if self.seconds_left > 0 or self._prober is not None:
                return False
            if self._row:
                self._prober = threading.get_ident()
            return True

    def leave(self) -> None:
        with self._lock:
            if self._prober == threading.get_ident():
                self._prober = None

    def succeeded(self) -> bool:
        """Returns whether it had failed before."""
        with self._lock:
            had_failed = self._row > 0
            self._row = 0
            self._open_at = 0.0
            self._is_asked_to_wait = False
            self._reason = ""
            return had_failed

    def failed(self, retry_after: float | None = None, *, slow: bool = False, reason: str = "") -> bool:
        """Wait before the next try. What Arthur asked for wins over our own backoff.

        Returns whether this is another `reason` than the last time.
        """
        with self._lock:
            self._failures += 1
            self._row += 1
            wait = SLOW_SECONDS if slow else backoff(self._row)
            self._is_asked_to_wait = retry_after is not None
            self._open_at = time.monotonic() + (wait if retry_after is None else retry_after)
            is_news, self._reason = self._reason != reason, reason
            return is_news

    def hurry(self) -> None:
        """Try again now, unless Arthur asked to wait: somebody waits for a flush."""
        with self._lock:
            if not self._is_asked_to_wait:
                self._open_at = 0.0
