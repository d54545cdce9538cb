"""Looks at the rows that wait, and for whom; nothing is leased."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from otel_arthur.spool.disk.room import USED
from otel_arthur.spool.disk.store import Store, listed
from otel_arthur.spool.queue.leases import IS_DUE, due, is_leased

OTHERS_SECONDS: Final = 1.0
"""Between looks whether the process that holds a lease still lives."""


def waiting(store: Store, destinations: Collection[int], kind: int | None = None) -> int:
    """Rows of these destinations (of a kind) that wait, leased or not."""
    statement = f"SELECT ifnull(sum(rows), 0) FROM batches WHERE {_of(destinations, kind)}"
    return store.index.read(statement)[0][0]


def occupied(
    store: Store, destinations: Collection[int], up_to: int | None = None, kind: int | None = None
) -> set[int]:
    """Those of these destinations for which anything of a kind waits, in batches up to a number."""
    condition = _of(destinations, kind) + ("" if up_to is None else f" AND number <= {up_to}")
    found = store.index.read(f"SELECT DISTINCT destination FROM batches WHERE {condition}")
    return {number for (number,) in found}


def last_number(store: Store) -> int:
    """The number of the newest batch there is."""
    return store.index.read("SELECT ifnull(max(number), 0) FROM batches")[0][0]


def bytes_used(store: Store) -> int:
    """Bytes of the rows that wait and of the dead letters."""
    return store.index.read(USED)[0][0]


def next_due(
    store: Store, destinations: Collection[int], in_order: Collection[tuple[int, int]] = ()
) -> float | None:
    """Seconds until something may be leased, below 0 since it may; None when nothing waits.

    Args:
        in_order: destinations and kinds that have one sender at a time.
    """
    now = store.clock.time()
    found = store.index.read(
        "SELECT destination, kind, owner, min(ready_at), min(leased_until) FROM batches "
        f"WHERE {_of(destinations)} GROUP BY destination, kind, owner"
    )
    taken = {(destination, kind) for destination, kind, owner, *_ in found if owner is not None}
    waits: list[float] = []
    for destination, kind, owner, ready_at, until in found:
        if owner is not None:
            # The process of another may end at any moment; a thread of ours looks again by itself.
            waits.append(until - now if store.owner.is_ours(owner) else min(until - now, OTHERS_SECONDS))
        elif (destination, kind) not in taken.intersection(in_order):
            waits.append(ready_at - now)
    return min(waits, default=None)


def can_be_tried(store: Store, destinations: Collection[int], seconds: float) -> bool:
    """Whether anything of these destinations is held, on its way, or due within `seconds`, or is gone."""
    now = store.clock.time()
    ((rows, candidates),) = store.index.read(
        f"SELECT count(*), ifnull(sum(held <> 0 OR owner IS NOT NULL OR ready_at <= ? OR {IS_DUE}), 0) "
        f"FROM batches WHERE {_of(destinations)}",
        (now + seconds, *due(now)),
    )
    return candidates > 0 or rows == 0


def left(
    store: Store, destinations: Collection[int], numbers: Collection[int] = ()
) -> dict[tuple[int, int], int]:
    """Rows by destination and kind that no other living process has taken to send them.

    Args:
        numbers: of batches; by default all.
    """
    now = store.clock.time()
    found = store.index.read(
        "SELECT destination, kind, owner, leased_until, set_at, sum(rows) FROM batches "
        f"WHERE {_of(destinations)} {f'AND number IN ({listed(numbers)})' if numbers else ''} "
        "GROUP BY destination, kind, owner, leased_until, set_at"
    )
    counts: dict[tuple[int, int], int] = {}
    for destination, kind, owner, until, set_at, rows in found:
        if (owner is not None and store.owner.is_ours(owner)) or not is_leased(
            store, owner, until, set_at, now
        ):
            key = destination, kind
            counts[key] = counts.get(key, 0) + rows
    return counts


def _of(destinations: Collection[int], kind: int | None = None) -> str:
    """The condition in SQL."""
    return f"destination IN ({listed(destinations)})" + ("" if kind is None else f" AND kind = {int(kind)}")
