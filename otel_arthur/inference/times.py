"""Moments as Arthur takes them."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1)  # of UTC


def rfc3339(nanoseconds: int) -> str:
    """A moment in UTC with microseconds, as in ``2026-11-22T12:00:00.250000+00:00``."""
    try:
        seconds, rest = divmod(nanoseconds, 10**9)
        return f"{_second(seconds)}.{str(10**6 + rest // 1000)[1:]}+00:00"
    except OverflowError:
        return f"{_second(0)}.000000+00:00"


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    """Many calls end within one second."""
    return (_EPOCH + timedelta(seconds=seconds)).isoformat(timespec="seconds")


def seconds_between(start_ns: int, end_ns: int) -> float:
    """The seconds that a call took; none where a clock went back."""
    return (end_ns - start_ns) / 1e9 if end_ns > start_ns else 0.0
