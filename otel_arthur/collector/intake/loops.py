"""`LoopDetector`: finds a span that comes back again and again, on a way that drops our headers.

A Collector between us and ourselves drops the hop header. A sender that retries comes back a few
times in a minute; a loop comes back for ever, as fast as the pipeline turns.
"""

from __future__ import annotations

from collections.abc import Iterable

_WINDOW_SECONDS = 60.0
_SUSPICIOUS = 30
_MAX_KEYS = 4096


class LoopDetector:
    """Counts spans by their ids, a bounded number of them. Pure: the caller gives the time."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, str], int] = {}
        self._since = 0.0
        self._told = False

    def is_loop(self, keys: Iterable[tuple[str, str]], now: float) -> bool:
        """Whether one of these spans has come suspiciously often in this window; True once a window."""
        if now - self._since > _WINDOW_SECONDS:
            self._counts.clear()
            self._since = now
            self._told = False
        most = 0
        for key in keys:
            count = self._counts.get(key, 0)
            if count or len(self._counts) < _MAX_KEYS:
                self._counts[key] = count + 1
                most = max(most, count + 1)
        if most < _SUSPICIOUS or self._told:
            return False
        self._told = True
        return True
