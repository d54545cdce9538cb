"""What must be gone before a row may leave, and what it is called where a duplicate was suppressed."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import NamedTuple

from msgspec.structs import replace

from otel_arthur.spool.disk.store import Store
from otel_arthur.spool.rows import FIRST_KIND, Row, key_of


class Sorted(NamedTuple):
    """Rows by whether they may leave now. Those of a suppressed group have the kept group's id."""

    ready: list[Row]
    blocked: list[Row]


def sort(store: Store, destination: int, rows: Sequence[Row]) -> Sorted:
    """Tell rows that may leave from those that others must precede, which wait in the spool still.

    Raises:
        sqlite3.Error: the spool cannot be read.
    """
    with store.index.transaction() as index:
        renamed = [_renamed(index, destination, row) for row in rows]
        keys = {one: key_of(destination, FIRST_KIND, one) for row in renamed for one in row.after}
        known = store.keys.known(index, set(keys.values()))
        waiting = {batch for batch in set(known.values()) if _is_waiting(index, batch)}
    held_back = {one for one, key in keys.items() if known.get(key) in waiting}
    found = Sorted([], [])
    for row in renamed:
        (found.blocked if held_back.intersection(row.after) else found.ready).append(row)
    return found


def destination_of(store: Store, destinations: Sequence[int], identity: str, stem: int) -> int | None:
    """The destination that has or had a row of the first kind, as far as is remembered."""
    with store.index.transaction() as index:
        for destination in destinations:
            row = _renamed(index, destination, Row(identity, b"", stem))
            if store.keys.known(index, {key_of(destination, FIRST_KIND, row.id)}):
                return destination
    return None


def _is_waiting(index: sqlite3.Connection, batch: int) -> bool:
    return index.execute("SELECT 1 FROM batches WHERE number = ?", (batch,)).fetchone() is not None


def _renamed(index: sqlite3.Connection, destination: int, row: Row) -> Row:
    """The row as one of the group that was kept for its own, if there is one."""
    if not row.stem:
        return row
    found = index.execute(
        "SELECT winner FROM duplicates WHERE destination = ? AND loser = ?", (destination, row.group)
    ).fetchone()
    if found is None:
        return row
    (kept,) = found
    return replace(
        row,
        id=kept + row.id[row.stem :],
        stem=len(kept),
        after=tuple(kept + one[row.stem :] if one.startswith(row.group) else one for one in row.after),
    )
