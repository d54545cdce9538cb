"""Carrying what is in memory to the disk, once that is well again."""

from __future__ import annotations

from otel_arthur.spool.batches import Evidence, NewBatch
from otel_arthur.spool.destination import Destination
from otel_arthur.spool.disk.bodies import unpacked
from otel_arthur.spool.queue import appending
from otel_arthur.spool.spool import Spool


def rows(memory: Spool) -> int:
    """Rows that wait in memory."""
    return memory.store.index.read("SELECT ifnull(sum(rows), 0) FROM batches")[0][0]


def carry(memory: Spool, disk: Spool) -> int:
    """Append what nobody is sending to the disk, and forget it here; returns how many rows are left here.

    Raises:
        sqlite3.Error, OSError, SpoolError: the disk took no more. What it took is gone from memory.
    """
    waiting = memory.store.index.read(
        "SELECT number, destination, kind, form, body, framing, held, max(ready_at - set_at, 0), "
        "free_at - created FROM batches WHERE owner IS NULL AND sent_at IS NULL ORDER BY number"
    )
    for number, place, kind, form, body, framing, held, hold, patience in waiting:
        (key,) = memory.store.index.read(
            "SELECT endpoint, identity, model, target FROM destinations WHERE number = ?", (place,)
        )
        evidence = memory.store.index.read("SELECT scopes, body FROM evidence WHERE batch = ?", (number,))
        batch = NewBatch(
            kind,
            unpacked(body, framing, kind),
            form,
            evidence=Evidence(*evidence[0]) if held and evidence else None,
            hold=hold,
            patience=patience,
        )
        if appending.append(disk.store, Destination(*key), batch).refused:
            break
        with memory.store.index.transaction() as index:
            index.execute("DELETE FROM batches WHERE number = ? AND owner IS NULL", (number,))
    return rows(memory)
