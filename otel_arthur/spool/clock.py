"""The machine's clock, and the signs that somebody has set the clock."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final, NamedTuple

_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
_LOOKS: Final = 3
AT_ONCE: Final = 1.0
"""Seconds within which both clocks must be read, or they do not tell of one moment."""


class Boot(NamedTuple):
    """A start of the machine, which no setting of a clock moves."""

    number: int
    """Tells this start from other starts."""
    seconds: float
    """Seconds since the start, the machine's sleep included."""


class Clock:
    """The machine's."""

    def time(self) -> float:
        """Unix seconds, as far as the machine knows."""
        return time.time()

    def boot(self) -> Boot | None:
        """None where the system does not tell."""
        clock = getattr(time, "CLOCK_BOOTTIME", None)
        if clock is None:
            return None
        try:
            number = int(_BOOT.read_text().strip().replace("-", "")[:15], 16)
        except (OSError, ValueError):
            return None
        return Boot(number, time.clock_gettime(clock))

    def moment(self) -> tuple[float, Boot | None] | None:
        """`time` and `boot` of one moment.

        None where the machine stands still each time between the two: it sleeps, or has no time for us. Their
        difference would look like a clock that was set.
        """
        for _ in range(_LOOKS):
            before, now, after = self.boot(), self.time(), self.boot()
            if before is None or after is None:
                return now, None
            if after.seconds - before.seconds <= AT_ONCE:
                return now, after
        return None
