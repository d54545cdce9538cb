"""The spool's upkeep: the age limit, what an operator discards, and what dead processes left behind."""

from __future__ import annotations

import time
from collections.abc import Iterable

from otel_arthur.spool.disk.store import Store, count, listed


def tidy(store: Store, max_age: float | None) -> int:
    """Give up what is older than `max_age` seconds, and delete what dead processes left behind.

    Returns the number of records given up.
    """
    store.owner.sweep()
    store.reserve.make()
    dropped = 0
    if max_age is not None:
        dropped = _drop(store, f"created < {time.time() - max_age}", "older than the age limit")
    if not store.index.read("SELECT 1 FROM batches LIMIT 1"):
        # Nothing waits: neither do the texts of what was delivered.
        store.index.shrink_log()
    known = store.index.read("SELECT file FROM batches WHERE file IS NOT NULL")
    store.bodies.sweep({name for (name,) in known})
    return dropped


def discard(store: Store, destinations: Iterable[int]) -> int:
    """Give up what waits for these destinations and is not on its way now; returns the number of records."""
    return _drop(store, f"destination IN ({listed(destinations)})", "discarded by command")


def discard_letters(store: Store, destinations: Iterable[int]) -> int:
    """Delete the dead letters of these destinations; returns how many."""
    with store.index.transaction() as index:
        return index.execute(
            f"DELETE FROM dead_letters WHERE destination IN ({listed(destinations)})"
        ).rowcount


def _drop(store: Store, condition: str, reason: str) -> int:
    """Delete batches that nobody sends at this moment, and count their rows as dropped for `reason`."""
    dropped = 0
    files: list[str | None] = []
    with store.index.transaction() as index:
        chosen = index.execute(
            f"SELECT number, destination, kind, rows, file FROM batches WHERE {condition} "
            "AND (owner IS NULL OR leased_until < ?)",
            (time.time(),),
        ).fetchall()
        for number, destination, kind, rows, file in chosen:
            index.execute("DELETE FROM batches WHERE number = ?", (number,))
            count(index, destination, kind, "dropped", rows, reason)
            dropped += rows
            files.append(file)
    store.bodies.remove(files)
    return dropped
