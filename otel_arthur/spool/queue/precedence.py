"""What must be gone before a row may leave, and what it is called where a duplicate was suppressed."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from otel_arthur.spool.disk.store import Store, listed
from otel_arthur.spool.rows import FIRST_KIND, Row, key_of, unpack_keys


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
        renamed = [_renamed(store, index, destination, row) for row in rows]
        keys = {one: key_of(destination, FIRST_KIND, one) for row in renamed for one in row.after}
        known = store.keys.known(index, set(keys.values()))
        waiting = {batch for batch in set(known.values()) if _is_waiting(index, batch)}
    held_back = {one for one, key in keys.items() if known.get(key) in waiting}
    found = Sorted([], [])
    for row in renamed:
        (found.blocked if held_back.intersection(row.after) else found.ready).append(row)
    return found


class Order:
    """Of the rows of one lease, and of those that wait from before: none overtakes an earlier of its id."""

    def __init__(self, store: Store, destination: int, kind: int, leased: Sequence[int]) -> None:
        self._store = store
        self._destination = destination
        self._kind = kind
        earlier = store.index.read(
            f"SELECT keys FROM batches WHERE destination = ? AND kind = ? AND number < {max(leased)} "
            f"AND number NOT IN ({listed(leased)})",
            (destination, kind),
        )
        self._waiting = {key for (keys,) in earlier for key in unpack_keys(keys)}

    def pick(self, rows: Sequence[Row]) -> Sorted:
        """The rows of the next batch, by whether they may leave now."""
        found = Sorted([], [])
        losers = self._losers({row.group for row in rows if row.stem})
        for row in rows:
            ids = {row.id, *(loser + row.id[row.stem :] for loser in losers.get(row.group, ()))}
            is_late = not self._waiting.isdisjoint(self._names(ids))
            (found.blocked if is_late else found.ready).append(row)
            self._waiting.update(self._names([row.id]))
        return found

    def block(self, rows: Iterable[Row]) -> None:
        """These wait, and what is later waits for them."""
        self._waiting.update(self._names(row.id for row in rows))

    def _names(self, ids: Iterable[str]) -> list[int]:
        return [key_of(self._destination, self._kind, one) for one in ids]

    def _losers(self, groups: Collection[str]) -> dict[str, list[str]]:
        """Groups that were suppressed for one of these: what was said of them is said of the one kept."""
        found: defaultdict[str, list[str]] = defaultdict(list)
        with self._store.index.snapshot() as index:
            for loser, winner in self._store.duplicates.losers(index, self._destination, groups):
                found[winner].append(loser)
        return found


def destination_of(store: Store, destinations: Sequence[int], identity: str, stem: int) -> int | None:
    """The destination that has or had a row of the first kind, as far as is remembered."""
    with store.index.transaction() as index:
        for destination in destinations:
            row = _renamed(store, index, destination, Row(identity, b"", stem))
            if store.keys.known(index, {key_of(destination, FIRST_KIND, row.id)}):
                return destination
    return None


def _is_waiting(index: sqlite3.Connection, batch: int) -> bool:
    return index.execute("SELECT 1 FROM batches WHERE number = ?", (batch,)).fetchone() is not None


def _renamed(store: Store, index: sqlite3.Connection, destination: int, row: Row) -> Row:
    """The row as one of the group that was kept for its own, if there is one."""
    if not row.stem:
        return row
    kept = store.duplicates.winners(index, destination, (row.group,)).get(row.group)
    if kept is None:
        return row
    return replace(
        row,
        id=kept + row.id[row.stem :],
        stem=len(kept),
        after=tuple(kept + one[row.stem :] if one.startswith(row.group) else one for one in row.after),
    )
