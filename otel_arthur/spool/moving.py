"""Moving what waits for one destination to others."""

from __future__ import annotations

from collections.abc import Callable

from otel_arthur.spool.appending import append
from otel_arthur.spool.batches import Batch, NewBatch, Settled
from otel_arthur.spool.destination import Destination
from otel_arthur.spool.leases import Limits, finish, lease, note_error
from otel_arthur.spool.records import Kind, Record, row_id
from otel_arthur.spool.store import Store

_POSTPONED_SECONDS = 60.0

TargetOf = Callable[[Kind, bytes], Destination | None]
"""Where a row goes; None where it stays."""


def move(store: Store, source: Destination, target_of: TargetOf) -> int:
    """Move the rows that are due to where `target_of` says; returns how many were.

    Raises:
        sqlite3.Error, OSError, SpoolError: a batch is in both places at most, under the same keys.
    """
    moved = 0
    for kind in Kind:
        while batches := store.ensured(lambda kind=kind: lease(store, source.number, kind, Limits())):
            results = [_moved(store, target_of, batch) for batch in batches]
            recorded = store.ensured(lambda results=results: finish(store, results))
            moved += sum(result.moved for result in recorded)
    if moved:
        note_error(store, source.number, None)
    return moved


def release(store: Store, destination: int) -> None:
    """Have all that waits for a destination due now, whatever it was postponed for."""
    with store.index.transaction() as index:
        index.execute("UPDATE batches SET ready_at = 0 WHERE destination = ?", (destination,))


def _moved(store: Store, target_of: TargetOf, batch: Batch) -> Settled:
    result = Settled(batch, wait=_POSTPONED_SECONDS)
    by_target: dict[Destination | None, list[bytes]] = {}
    for row in batch.rows:
        by_target.setdefault(target_of(batch.kind, row), []).append(row)
    for target, rows in by_target.items():
        moving = NewBatch(batch.kind, batch.form, [Record(row_id(row), row) for row in rows])
        # Appended there before it is gone here: a kill between the two leaves it in both, under one id.
        if (
            target is not None
            and not store.repaired(lambda target=target, moving=moving: append(store, target, moving)).refused
        ):
            result.moved += len(rows)
        else:
            result.waiting += rows
    return result
