"""Which rows wait, and for whom; nothing is leased."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from otel_arthur.spool.disk.store import Store
from otel_arthur.spool.queue.leases import IS_DUE, due, is_leased

OTHERS_SECONDS: Final = 1.0
"""Between looks whether the process that holds a lease still lives."""


def next_due(store: Store, destinations: str, in_order: Collection[tuple[int, int]]) -> float | None:
    """Seconds until something may be leased that cannot be now; None when nothing waits.

    Args:
        in_order: destinations and kinds that have one sender at a time.
    """
    now = store.clock.time()
    found = store.index.read(
        "SELECT destination, kind, owner, min(ready_at), min(leased_until) FROM batches "
        f"WHERE destination IN ({destinations}) GROUP BY destination, kind, owner"
    )
    taken = {(destination, kind) for destination, kind, owner, *_ in found if owner is not None}
    waits: list[float] = []
    for destination, kind, owner, ready_at, until in found:
        if owner is not None:
            # The process of another may end at any moment; a thread of ours looks again by itself.
            waits.append(until - now if store.owner.is_ours(owner) else min(until - now, OTHERS_SECONDS))
        elif (destination, kind) not in taken.intersection(in_order):
            waits.append(ready_at - now)
    return max(min(waits), 0.0) if waits else None


def can_be_tried(store: Store, destinations: str, seconds: float) -> bool:
    """Whether anything of these destinations is held, on its way, or due within `seconds`, or is gone."""
    now = store.clock.time()
    ((rows, candidates),) = store.index.read(
        f"SELECT count(*), ifnull(sum(held <> 0 OR owner IS NOT NULL OR ready_at <= ? OR {IS_DUE}), 0) "
        f"FROM batches WHERE destination IN ({destinations})",
        (now + seconds, *due(now)),
    )
    return candidates > 0 or rows == 0


def left(store: Store, destinations: str, numbers: str = "") -> dict[tuple[int, int], int]:
    """Rows (of the batches of these numbers) by destination and kind that no other living process sends."""
    now = store.clock.time()
    found = store.index.read(
        "SELECT destination, kind, owner, leased_until, set_at, sum(rows) FROM batches "
        f"WHERE destination IN ({destinations}) {f'AND number IN ({numbers})' if numbers else ''} "
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
