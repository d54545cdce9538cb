"""What became of each record in this process. The spool counts the same for all processes, durably."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Counts:
    """Outcomes. Records are counted, one per choice of a call; a skipped span counts once.

    ``received == spooled + known + skipped + dropped`` always. Where this process alone uses the
    spool, and began with it empty,
    ``spooled == sent + dead_letter + duplicate + skipped_late + dropped_late + left``.
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
    withheld: int = 0
    """Texts that were kept back as their redaction failed; not an outcome of a record."""
    skipped: Mapping[str, int] = field(default_factory=dict[str, int])
    skipped_late: Mapping[str, int] = field(default_factory=dict[str, int])
    """Skipped once the model's schema was known, after they had been spooled."""
    dropped: Mapping[str, int] = field(default_factory=dict[str, int])
    """Never got into the spool."""
    dropped_late: Mapping[str, int] = field(default_factory=dict[str, int])
    """Given up after they had been spooled."""


class Counters:
    """Counts of one process. Safe to use from any thread."""

    def __init__(self, listener: Callable[[str, int, str], None]) -> None:
        self._listener = listener
        self._lock = threading.Lock()
        self._values: Counter[tuple[str, str]] = Counter()
        self._seen: set[str] = set()

    def add(self, outcome: str, count: int = 1, reason: str = "") -> None:
        if count:
            with self._lock:
                self._values[outcome, reason] += count
            self._listener(outcome, count, reason)

    def is_first(self, event: str) -> bool:
        """Whether `event` is seen for the first time in this process."""
        with self._lock:
            first = event not in self._seen
            self._seen.add(event)
            return first

    def snapshot(self, left: int) -> Counts:
        with self._lock:
            values = dict(self._values)

        def total(outcome: str) -> int:
            return values.get((outcome, ""), 0)

        def by_reason(outcome: str) -> dict[str, int]:
            return {reason: n for (name, reason), n in values.items() if name == outcome}

        return Counts(
            received=total("received"),
            spooled=total("spooled"),
            known=total("known"),
            sent=total("sent"),
            dead_letter=total("dead_letter"),
            duplicate=total("duplicate"),
            left=left,
            withheld=total("withheld"),
            skipped=by_reason("skipped"),
            skipped_late=by_reason("skipped_late"),
            dropped=by_reason("dropped"),
            dropped_late=by_reason("dropped_late"),
        )
