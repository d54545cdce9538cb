"""When to try a destination again: exponential backoff with full jitter, and slow retries for what a
person must mend."""

from __future__ import annotations

import threading
import time
from typing import Any, cast

import tenacity

FIRST_SECONDS = 1.0
MAX_SECONDS = 60.0
SLOW_SECONDS = 60.0
"""Between tries where only a change of key, model or permission can help."""

_BACKOFF = tenacity.wait_random_exponential(multiplier=FIRST_SECONDS, max=MAX_SECONDS)


def backoff(attempt: int) -> float:
    """Seconds to wait after the `attempt`-th failure in a row, at random up to the bound (full jitter)."""
    state = tenacity.RetryCallState(cast("Any", None), None, (), {})
    state.attempt_number = attempt
    return _BACKOFF(state)


class Pacer:
    """Whether a destination may be tried now. After a failure one sender at a time tries it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures = 0
        self._open_at = 0.0
        self._probing = False
        self._is_asked_to_wait = False

    @property
    def failures(self) -> int:
        """Failures in a row."""
        return self._failures

    @property
    def seconds_left(self) -> float:
        """Until it may be tried again; 0 for now."""
        return max(self._open_at - time.monotonic(), 0.0)

    def enter(self) -> bool:
        """Whether the caller may try; it must then call `succeeded`, `failed` or `leave`."""
        with self._lock:
            if self.seconds_left > 0 or self._probing:
                return False
            self._probing = self._failures > 0
            return True

    def leave(self) -> None:
        """There was nothing to try."""
        with self._lock:
            self._probing = False

    def succeeded(self) -> None:
        with self._lock:
            self._failures = 0
            self._open_at = 0.0
            self._probing = self._is_asked_to_wait = False

    def failed(self, retry_after: float | None = None, *, slow: bool = False) -> float:
        """Returns the seconds to wait. What Arthur asked for wins over our own backoff."""
        with self._lock:
            self._failures += 1
            self._probing = False
            self._is_asked_to_wait = retry_after is not None
            wait = SLOW_SECONDS if slow else backoff(self._failures)
            if retry_after is not None:
                wait = retry_after
            self._open_at = time.monotonic() + wait
            return wait

    def hurry(self) -> None:
        """Try again now, unless Arthur asked to wait: somebody waits for a flush."""
        with self._lock:
            if not self._is_asked_to_wait:
                self._open_at = 0.0
