"""Moving what waits for one destination to others."""

from __future__ import annotations

from collections.abc import Callable

from otel_arthur.spool.batches import Batch, BatchOutcome, NewBatch
from otel_arthur.spool.destination import Destination
from otel_arthur.spool.disk.store import Store
from otel_arthur.spool.queue.appending import append
from otel_arthur.spool.queue.leases import Terms, finish, lease, note_error
from otel_arthur.spool.rows import Row, around_of, packed

_POSTPONED_SECONDS = 60.0

TargetOf = Callable[[int, Row], tuple[Destination, Row] | None]
"""From a row's kind and the row to where it goes, and the row as it is written there; None where it stays."""


def move(store: Store, source: Destination, target_of: TargetOf, doubt: float = 0.0) -> int:
    """Move the rows of `source` that are due to where `target_of` says; returns how many were.

    Args:
        doubt: seconds that rows wait there whose former request has an outcome that nobody knows.

    Raises:
        sqlite3.Error, OSError, SpoolError: a batch is in both places at most, under the same keys.
    """
    moved = 0
    kinds = store.index.read("SELECT DISTINCT kind FROM batches WHERE destination = ?", (source.number,))
    for (kind,) in sorted(kinds):
        while batches := store.ensured(lambda kind=kind: lease(store, source.number, kind, Terms())):
            outcomes = [_moved(store, target_of, batch, doubt) for batch in batches]
            recorded = store.ensured(lambda outcomes=outcomes: finish(store, outcomes))
            moved += sum(outcome.moved for outcome in recorded)
    if moved:
        note_error(store, source.number, None)
    return moved


def release(store: Store, destination: int) -> None:
    """Have all that waits for a destination due now, whatever it was postponed for."""
    with store.index.transaction() as index:
        index.execute("UPDATE batches SET ready_at = 0 WHERE destination = ?", (destination,))


def _moved(store: Store, target_of: TargetOf, batch: Batch, doubt: float) -> BatchOutcome:
    outcome = BatchOutcome(batch, wait=_POSTPONED_SECONDS, is_unknown=batch.sent_at is not None)
    by_target: dict[Destination, list[tuple[Row, Row]]] = {}
    for row in batch.rows:
        if (found := target_of(batch.kind, row)) is None:
            outcome.waiting.append(row)
        else:
            by_target.setdefault(found[0], []).append((row, found[1]))
    hold = 0.0 if batch.sent_at is None else doubt
    for target, rows in by_target.items():
        there = packed([new for _, new in rows], around_of(batch.rows))
        moving = NewBatch(batch.kind, there, batch.form, hold=hold, sent_at=batch.sent_at)
        # Appended there before deleted here: a kill in between leaves the rows in both, under one id.
        if store.repaired(lambda target=target, moving=moving: append(store, target, moving)).refused:
            outcome.waiting += [row for row, _ in rows]
        else:
            outcome.moved += len(rows)
    return outcome
