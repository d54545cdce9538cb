"""What became of each record in this process. The spool counts the same for all processes, durably."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Counts:
    """Outcomes. Records are counted, one per choice of a call; a skipped span counts once.

    ``received == spooled + known + skipped + dropped before the spool``, and of what was spooled
    ``appended == sent + dead_letter + duplicate + dropped in the spool + left``.
    """

    received: int = 0
    spooled: int = 0
    """Taken into the spool by this process."""
    known: int = 0
    """Presented to the spool again: it waits already, or was accepted not long ago."""
    sent: int = 0
    dead_letter: int = 0
    duplicate: int = 0
    left: int = 0
    """Waiting in the spool now."""
    skipped: Mapping[str, int] = field(default_factory=dict[str, int])
    dropped: Mapping[str, int] = field(default_factory=dict[str, int])


class Counters:
    """Counts of one process. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: Counter[tuple[str, str]] = Counter()

    def add(self, outcome: str, count: int = 1, reason: str = "") -> None:
        if count:
            with self._lock:
                self._values[outcome, reason] += count

    def snapshot(self, left: int) -> Counts:
        with self._lock:
            values = dict(self._values)
        by_reason: dict[str, dict[str, int]] = {"skipped": {}, "dropped": {}}
        for (outcome, reason), value in values.items():
            if outcome in by_reason:
                by_reason[outcome][reason] = value
        names = ("received", "spooled", "known", "sent", "dead_letter", "duplicate")
        return Counts(left=left, **by_reason, **{name: values.get((name, ""), 0) for name in names})
