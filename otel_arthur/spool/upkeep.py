"""The spool's upkeep: the age limit, and what dead processes left behind."""

from __future__ import annotations

import time

from otel_arthur.spool.store import Store, count


def tidy(store: Store, max_age: float | None) -> int:
    """Give up what is older than `max_age` seconds, and delete what dead processes left behind.

    Returns the number of records given up.
    """
    store.owner.sweep()
    store.reserve.make()
    dropped = 0
    files: list[str | None] = []
    if max_age is not None:
        now = time.time()
        with store.index.transaction() as index:
            old = index.execute(
                "SELECT number, destination, kind, rows, file FROM batches WHERE created < ? "
                "AND (owner IS NULL OR leased_until < ?)",
                (now - max_age, now),
            ).fetchall()
            for number, destination, kind, rows, file in old:
                index.execute("DELETE FROM batches WHERE number = ?", (number,))
                count(index, destination, kind, "dropped", rows, "older than the age limit")
                dropped += rows
                files.append(file)
    store.bodies.remove(files)
    known = store.index.read("SELECT file FROM batches WHERE file IS NOT NULL")
    store.bodies.sweep({name for (name,) in known})
    return dropped
