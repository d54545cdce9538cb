"""What became of everything that a process hands over: counted, and measured. The spool counts the same
durably, for all processes."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from otel_arthur.delivery.books.metrics import Metrics
from otel_arthur.delivery.books.names import in_words
from otel_arthur.spool.outcomes import RECEIVED, Outcome, unaccounted

FULL = "spool full"
BROKEN = "spool failed"
AGE = "age limit"
UNREADABLE = "unreadable"
TOO_MANY = "more answers than a call may have"


@dataclass(slots=True)
class Submitted:
    """What became of what was submitted, in rows: one per choice of a call."""

    spooled: int = 0
    """On disk now, or known to the spool before. Where there is no spool on disk: in memory."""
    in_memory: int = 0
    """Taken, but not durable: the disk refuses, so these are kept in memory and sent from there."""
    refused: int = 0
    """Not taken: there is no room on the disk and in memory."""
    skipped: dict[str, int] = field(default_factory=dict[str, int])
    """Calls left out, by reason."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Outcomes in one process. Rows are counted, one per choice of a call; a skipped span counts once."""

    received: int
    outcomes: Mapping[tuple[Outcome, str], int]
    """By outcome and reason; the reason is empty where there is none."""
    left: int
    """Waiting in the spool now."""
    withheld: int = 0
    """Texts that were kept back because their redaction failed; not an outcome of a row."""
    mended: Mapping[str, int] = field(default_factory=dict[str, int])
    """Kind of mending -> how often something was changed so that a target can take it; no outcome either."""

    def total(self, outcome: Outcome) -> int:
        """For all reasons."""
        return sum(self.by_reason(outcome).values())

    def by_reason(self, outcome: Outcome) -> dict[str, int]:
        """Reason -> rows."""
        return {reason: n for (name, reason), n in self.outcomes.items() if name is outcome}

    @property
    def known(self) -> int:
        return self.total(Outcome.KNOWN)

    @property
    def sent(self) -> int:
        return self.total(Outcome.SENT)

    @property
    def dead_letter(self) -> int:
        return self.total(Outcome.DEAD_LETTER)

    @property
    def duplicate(self) -> int:
        return self.total(Outcome.DUPLICATE)

    @property
    def skipped(self) -> dict[str, int]:
        return self.by_reason(Outcome.SKIPPED)

    @property
    def lost(self) -> dict[str, int]:
        """Refused and dropped, by reason."""
        return {**self.by_reason(Outcome.REFUSED), **self.by_reason(Outcome.DROPPED)}

    @property
    def unaccounted(self) -> int:
        """0 where this process alone uses the spool, and began with it empty (see `outcomes.unaccounted`)."""
        return unaccounted(self.received, {one: self.total(one) for one in Outcome}, self.left)


class LastWord(NamedTuple):
    """What is said at the end of a process, by the name of rows."""

    sent: Mapping[str, int]
    left: Mapping[str, int]
    in_memory: Mapping[str, int]
    """Rows left that are not on disk, though a disk is configured."""
    unseen: int
    """Rows left where nobody can count them now."""
    where: str
    """Of those."""
    why: str
    """Why rows are left; empty where the reason is unknown."""

    def line(self, counts: Counts, folder: str | None) -> str | None:
        """One line; None where nothing was lost and nothing is left.

        Args:
            folder: of the spool; None where it was in memory.
        """
        parts = [f"{n} lost ({reason})" for reason, n in counts.lost.items()]
        if counts.dead_letter:
            kept = " (dead letters)" if folder else " and lost"
            parts.append(f"{counts.dead_letter} refused by Arthur{kept}")
        why = f": {self.why}" if self.why else ""
        if any(self.left.values()):
            where = f"left in {folder} for the next run" if folder else "lost with the memory"
            parts.append(f"{in_words(self.left)} not sent, {where}{why}")
        if any(self.in_memory.values()):
            parts.append(f"{in_words(self.in_memory)} not sent, in memory only{why}")
        if self.unseen:
            parts.append(f"{self.unseen} not sent, left in {self.where}")
        return f"{in_words(self.sent, like=self.left)} sent, {', '.join(parts)}" if parts else None


class Books:
    """Of one process. Safe to use from any thread; a forked child begins with new ones."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._lock = threading.Lock()
        self._outcomes: Counter[tuple[Outcome, str]] = Counter()
        self._received = 0
        self._taken = 0
        self._between = 0
        self._withheld = 0
        self._mended: Counter[str] = Counter()

    @contextmanager
    def taking(self) -> Generator[None, None, None]:
        """Rows are given to the spool, and are not booked as taken yet."""
        with self._lock:
            self._between += 1
        try:
            yield
        finally:
            with self._lock:
                self._between -= 1

    def receive(self, count: int) -> None:
        """Rows came in."""
        with self._lock:
            self._received += count
        self._metrics.outcome(RECEIVED, count)

    def take(self, count: int) -> None:
        """The spool took rows."""
        with self._lock:
            self._taken += count
        self._metrics.taken(count)

    def end(self, outcome: Outcome, count: int = 1, reason: str = "", *, was_taken: bool = False) -> None:
        """Rows ended with an outcome.

        Args:
            was_taken: the spool had taken it before.
        """
        if not count:
            return
        with self._lock:
            self._outcomes[outcome, reason] += count
            self._taken -= count if was_taken else 0
        self._metrics.outcome(outcome.value, count, reason)
        if was_taken:
            self._metrics.exported(count, _ERROR_TYPES.get(outcome))
        elif outcome is Outcome.REFUSED:
            self._metrics.refused(count, reason)

    def withhold(self) -> None:
        """A text was kept back."""
        with self._lock:
            self._withheld += 1

    def mend(self, kind: str, count: int) -> None:
        """Values were changed so that a target can take them."""
        with self._lock:
            self._mended[kind] += count
        self._metrics.mended(kind, count)

    @property
    def open(self) -> int:
        """Rows that came in and have no outcome yet."""
        with self._lock:
            return self._received - sum(self._outcomes.values())

    @property
    def waiting(self) -> int | None:
        """Rows that the spool took and that have no outcome yet; None while a row in the spool may not be
        booked."""
        with self._lock:
            return None if self._between else self._taken

    def counts(self, left: int) -> Counts:
        """All counts now, with the rows `left` in the spool."""
        with self._lock:
            return Counts(self._received, dict(self._outcomes), left, self._withheld, dict(self._mended))


_ERROR_TYPES = {Outcome.DEAD_LETTER: "rejected", Outcome.DROPPED: "dropped"}
