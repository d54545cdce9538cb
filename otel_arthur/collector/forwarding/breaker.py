"""`Breaker`: one request finds out that the next hop hangs, not every request.

Without it each sender would wait for the whole timeout, and the inferences of the requests
behind it would wait as well.
"""

from __future__ import annotations


class Breaker:
    """Pure: the caller gives the time (monotonic seconds). For one event loop."""

    def __init__(self, failures: int = 5, pause: float = 1.0) -> None:
        self._allowed = failures
        self._pause = pause
        self._failures = 0
        self._next_try = 0.0

    def permits(self, now: float) -> bool:
        """Whether a request may be tried: while the next hop hangs, one request in each pause."""
        if self._failures < self._allowed:
            return True
        if now < self._next_try:
            return False
        self._next_try = now + self._pause
        return True

    def timed_out(self, now: float) -> None:
        self._failures += 1
        self._next_try = now + self._pause

    def answered(self) -> None:
        self._failures = 0
