"""Moments as Arthur takes them."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1)  # of UTC
_SECOND: Final = 10**9
_last = (0, "1970-01-01T00:00:00.")
"""A second in nanoseconds, and how its moments begin: many calls end within one second."""


def rfc3339(nanoseconds: int) -> str:
    """A moment in UTC with microseconds, as in ``2026-11-22T12:00:00.250000+00:00``."""
    global _last
    second, text = _last
    rest = nanoseconds - second
    if not 0 <= rest < _SECOND:
        rest = nanoseconds % _SECOND
        try:
            moment = _EPOCH + timedelta(seconds=nanoseconds // _SECOND)
        except OverflowError:
            return "1970-01-01T00:00:00.000000+00:00"
        text = f"{moment.isoformat(timespec='seconds')}."
        _last = nanoseconds - rest, text
    return f"{text}{str(10**6 + rest // 1000)[1:]}+00:00"


def seconds_between(start_ns: int, end_ns: int) -> float:
    """The seconds that a call took; none where a clock went back."""
    return (end_ns - start_ns) / 1e9 if end_ns > start_ns else 0.0
