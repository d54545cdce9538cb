"""The state of a spool, for ``otel-arthur spool status``."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

from otel_arthur.spool.destination import Destination
from otel_arthur.spool.records import Kind
from otel_arthur.spool.store import NOWHERE, Store


@dataclass(frozen=True, slots=True)
class DestinationStatus:
    """What waits for one destination, and what became of what did."""

    destination: Destination
    organization: str | None
    inferences: int
    """Waiting, on their way included."""
    ground_truth: int
    held: int
    """Of the inferences: in the duplicate window."""
    leased: int
    bytes: int
    oldest_seconds: float | None
    dead_letters: int
    last_error: str | None
    last_error_at: float | None
    outcomes: dict[str, dict[str, int]]
    """``inference`` and ``ground_truth``: outcome, with its reason after a colon -> count, ever since."""

    @property
    def waiting(self) -> int:
        """Records that wait."""
        return self.inferences + self.ground_truth


@dataclass(frozen=True, slots=True)
class Status:
    """The whole spool."""

    bytes: int
    max_bytes: int
    skipped: dict[str, int]
    """Reason -> spans that could have been inferences but were not recorded."""
    destinations: tuple[DestinationStatus, ...]

    @property
    def waiting(self) -> int:
        """Records that wait."""
        return sum(d.waiting for d in self.destinations)

    @property
    def dead_letters(self) -> int:
        """Records that Arthur refused for good."""
        return sum(d.dead_letters for d in self.destinations)


def status_of(store: Store) -> Status:
    """The state of the spool now.

    Raises:
        sqlite3.Error: it cannot be read.
    """
    now = time.time()
    with store.index.transaction() as index:
        found = index.execute(
            "SELECT number, endpoint, identity, model, organization, last_error, last_error_at "
            "FROM destinations ORDER BY endpoint, model, identity"
        ).fetchall()
        destinations = tuple(_destination(index, now, *row) for row in found)
        skipped = dict(
            index.execute(
                "SELECT reason, value FROM counters WHERE destination = ? AND outcome = 'skipped'", (NOWHERE,)
            ).fetchall()
        )
        (used,) = index.execute("SELECT value FROM state WHERE name = 'bytes'").fetchone()
    return Status(used, store.max_bytes, skipped, destinations)


def _destination(
    index: Any,
    now: float,
    number: int,
    endpoint: str,
    identity: str,
    model: str,
    organization: str | None,
    last_error: str | None,
    last_error_at: float | None,
) -> DestinationStatus:
    rows = {
        kind: index.execute(
            "SELECT ifnull(sum(rows), 0), ifnull(sum(rows * held), 0), "
            "ifnull(sum(rows * (owner IS NOT NULL)), 0), ifnull(sum(bytes), 0), min(created) "
            "FROM batches WHERE destination = ? AND kind = ?",
            (number, int(kind)),
        ).fetchone()
        for kind in Kind
    }
    inferences, truths = rows[Kind.INFERENCE], rows[Kind.GROUND_TRUTH]
    oldest = min((row[4] for row in rows.values() if row[4] is not None), default=None)
    (dead,) = index.execute("SELECT count(*) FROM dead_letters WHERE destination = ?", (number,)).fetchone()
    outcomes: dict[str, dict[str, int]] = {kind.name.lower(): {} for kind in Kind}
    for kind, outcome, reason, value in index.execute(
        "SELECT kind, outcome, reason, value FROM counters WHERE destination = ?", (number,)
    ):
        outcomes[Kind(kind).name.lower()][f"{outcome}: {reason}" if reason else outcome] = value
    return DestinationStatus(
        destination=Destination(endpoint, identity, model),
        organization=organization,
        inferences=inferences[0],
        ground_truth=truths[0],
        held=inferences[1],
        leased=inferences[2] + truths[2],
        bytes=inferences[3] + truths[3],
        oldest_seconds=None if oldest is None else max(now - oldest, 0.0),
        dead_letters=dead,
        last_error=last_error,
        last_error_at=last_error_at,
        outcomes=outcomes,
    )
