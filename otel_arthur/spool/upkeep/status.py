"""The state of a spool, for ``otel-arthur spool status``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from otel_arthur.spool.destination import Destination
from otel_arthur.spool.disk.room import USED
from otel_arthur.spool.disk.store import NOWHERE, Store
from otel_arthur.spool.outcomes import MENDED, Outcome


@dataclass(frozen=True, slots=True)
class KindStatus:
    """What waits of one kind of rows, and what became of what did."""

    waiting: int = 0
    """On their way included."""
    held: int = 0
    """Of those: in the duplicate window."""
    leased: int = 0
    bytes: int = 0
    oldest_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class DestinationStatus:
    """What waits for one destination, and what became of what did."""

    destination: Destination
    organization: str | None
    kinds: Mapping[int, KindStatus]
    dead_letters: int
    last_error: str | None
    last_error_at: float | None
    outcomes: Mapping[int, Mapping[str, int]]
    """Kind -> outcome, with its reason after a colon -> rows, ever since."""

    @property
    def waiting(self) -> int:
        """Rows that wait."""
        return sum(kind.waiting for kind in self.kinds.values())


@dataclass(frozen=True, slots=True)
class Status:
    """The whole spool."""

    bytes: int
    max_bytes: int
    skipped: dict[str, int]
    """Reason -> spans that could have been rows but were not recorded."""
    mended: dict[str, int]
    """Kind of mending -> how often something was changed so that a target can take it."""
    destinations: tuple[DestinationStatus, ...]

    @property
    def waiting(self) -> int:
        """Rows that wait."""
        return sum(d.waiting for d in self.destinations)

    @property
    def dead_letters(self) -> int:
        """Rows that a target refused for good."""
        return sum(d.dead_letters for d in self.destinations)


def status_of(store: Store) -> Status:
    """The state of the spool now.

    Raises:
        sqlite3.Error: it cannot be read.
    """
    now = store.clock.time()
    with store.index.snapshot() as index:
        found = index.execute(
            "SELECT endpoint, identity, model, target, organization, last_error, last_error_at "
            "FROM destinations ORDER BY endpoint, model, identity, target"
        ).fetchall()
        destinations = tuple(_destination(index, now, Destination(*row[:4]), *row[4:]) for row in found)
        skipped, mended = (
            dict(
                index.execute(
                    "SELECT reason, value FROM counters WHERE destination = ? AND outcome = ?",
                    (NOWHERE, outcome),
                ).fetchall()
            )
            for outcome in (Outcome.SKIPPED.value, MENDED)
        )
        (used,) = index.execute(USED).fetchone()
    return Status(used, store.room.max_bytes, skipped, mended, destinations)


def _destination(
    index: Any,
    now: float,
    destination: Destination,
    organization: str | None,
    last_error: str | None,
    last_error_at: float | None,
) -> DestinationStatus:
    number = destination.number
    kinds = {
        kind: KindStatus(waiting, held, leased, size, max(now - oldest, 0.0))
        for kind, waiting, held, leased, size, oldest in index.execute(
            "SELECT kind, sum(rows), sum(rows * (held <> 0)), sum(rows * (owner IS NOT NULL)), sum(bytes), "
            "min(created) FROM batches WHERE destination = ? GROUP BY kind",
            (number,),
        )
    }
    (dead,) = index.execute("SELECT count(*) FROM dead_letters WHERE destination = ?", (number,)).fetchone()
    outcomes: dict[int, dict[str, int]] = {}
    for kind, outcome, reason, value in index.execute(
        "SELECT kind, outcome, reason, value FROM counters WHERE destination = ?", (number,)
    ):
        outcomes.setdefault(kind, {})[f"{outcome}: {reason}" if reason else outcome] = value
    return DestinationStatus(destination, organization, kinds, dead, last_error, last_error_at, outcomes)
