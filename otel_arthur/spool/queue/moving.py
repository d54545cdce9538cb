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

TargetOf = Callable[[int, Row], Destination | None]
"""From a row's kind and the row to where it goes; None where it stays."""


def move(store: Store, source: Destination, target_of: TargetOf) -> int:
    """Move the rows of `source` that are due to where `target_of` says; returns how many were.

    Raises:
        sqlite3.Error, OSError, SpoolError: a batch is in both places at most, under the same keys.
    """
    moved = 0
    kinds = store.index.read("SELECT DISTINCT kind FROM batches WHERE destination = ?", (source.number,))
    for (kind,) in sorted(kinds):
        while batches := store.ensured(lambda kind=kind: lease(store, source.number, kind, Terms())):
            outcomes = [_moved(store, target_of, batch) for batch in batches]
            recorded = store.ensured(lambda outcomes=outcomes: finish(store, outcomes))
            moved += sum(outcome.moved for outcome in recorded)
    if moved:
        note_error(store, source.number, None)
    return moved


def release(store: Store, destination: int) -> None:
    """Have all that waits for a destination due now, whatever it was postponed for."""
    with store.index.transaction() as index:
        index.execute("UPDATE batches SET ready_at = 0 WHERE destination = ?", (destination,))


def _moved(store: Store, target_of: TargetOf, batch: Batch) -> BatchOutcome:
    outcome = BatchOutcome(batch, wait=_POSTPONED_SECONDS)
    by_target: dict[Destination | None, list[Row]] = {}
    for row in batch.rows:
        by_target.setdefault(target_of(batch.kind, row), []).append(row)
    for target, rows in by_target.items():
        moving = NewBatch(batch.kind, packed(rows, around_of(batch.rows)), batch.form)
        # Appended there before deleted here: a kill in between leaves the rows in both, under one id.
        if (
            target is not None
            and not store.repaired(lambda target=target, moving=moving: append(store, target, moving)).refused
        ):
            outcome.moved += len(rows)
        else:
            outcome.waiting += rows
    return outcome
