"""The spool's upkeep: the age limit, what an operator discards, and what dead processes left behind."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final

from otel_arthur.spool.clock import Boot
from otel_arthur.spool.disk.room import IS_TRUE, recounted
from otel_arthur.spool.disk.store import Store, count, listed
from otel_arthur.spool.outcomes import Outcome
from otel_arthur.spool.queue.duplicate_window import forget_duplicates

SET_SECONDS: Final = 60.0
"""A clock that moved less was not set."""
_SEEN: Final = "SELECT name, value FROM state WHERE name IN ('boot', 'origin')"
"""The machine's start as somebody saw it last: its number, and its moment by the clock of then."""


def tidy(store: Store, max_age: float | None) -> int:
    """Give up what is older than `max_age` seconds, and delete what dead processes left behind.

    Returns the number of records given up.
    """
    _free_leases_of_the_dead(store)
    store.reserve.make()
    follow_clock(store)
    if not store.index.read(IS_TRUE)[0][0]:
        with store.index.transaction() as index:
            recounted(index)
    forget_duplicates(store)
    dropped = 0 if max_age is None else _drop_old(store, max_age)
    if not store.index.read("SELECT 1 FROM batches LIMIT 1"):
        # Nothing waits: neither do the texts of what was delivered.
        store.index.shrink_log()
    _remove_orphans(store)
    return dropped


def _remove_orphans(store: Store) -> None:
    """Delete old files that no batch names: their writer died before a commit."""
    old = store.bodies.old()
    if not old or old <= _named(store.index.read):
        return
    with store.index.transaction() as index:
        # Old by a clock that was set, or of a writer that is slow: with the lock none is between its last
        # look at its file and its commit, and who comes later writes the file again.
        store.bodies.remove(old - _named(index.execute))


def _named(query: Callable[[str], Iterable[Any]]) -> set[str]:
    return {name for (name,) in query("SELECT file FROM batches WHERE file IS NOT NULL")}


def _free_leases_of_the_dead(store: Store) -> None:
    dead = store.owner.dead()
    leasing = f"owner IN ({','.join('?' * len(dead))})"
    if dead and store.index.read(f"SELECT 1 FROM batches WHERE {leasing} LIMIT 1", dead):
        with store.index.transaction() as index:
            index.execute(f"UPDATE batches SET owner = NULL WHERE {leasing}", dead)
    # Only now: without its file nobody knows that a process has ended.
    store.owner.remove(dead)


def follow_clock(store: Store) -> None:
    """Where the clock was set since somebody looked, move the times of what waits along with it.

    Nothing is older because a clock was set forward. After a restart of the machine its clock is believed.
    """
    moment = store.clock.moment()
    if moment is not None and _is_news(dict(store.index.read(_SEEN)), *moment):
        with store.index.transaction() as index:
            _followed(store, index)


def _followed(store: Store, index: sqlite3.Connection) -> float | None:
    """Follow the clock in a transaction; the time that the ages of what waits now fit, if the clock tells.

    Read here, with the lock: what another process wrote since an earlier look lies after that look, as what
    was written before the clock was set back does.
    """
    moment = store.clock.moment()
    if moment is None:
        return None
    now, boot = moment
    # Asked again with the lock: another process may have done it.
    seen = dict(index.execute(_SEEN).fetchall())
    if boot is None or not _is_news(seen, now, boot):
        return now
    origin = now - boot.seconds
    shift = origin - seen["origin"] if seen.get("boot") == boot.number else 0.0
    if shift:
        # What was written before, by the clock of then: not after its last moment, or in our future. As exact
        # as `SET_SECONDS`, by which clocks may drift unseen, and each time to the side that gives up nothing.
        before, limit = (
            ("created <= ?", now - shift + SET_SECONDS) if shift > 0 else ("created > ?", now + SET_SECONDS)
        )
        index.execute(
            f"UPDATE batches SET created = created + ?, free_at = free_at + ? WHERE {before}",
            (shift, shift, limit),
        )
    index.executemany(
        "INSERT OR REPLACE INTO state VALUES (?, ?)", [("boot", boot.number), ("origin", round(origin))]
    )
    return now


def _is_news(seen: Mapping[str, int], now: float, boot: Boot | None) -> bool:
    if boot is None:
        return False
    return seen.get("boot") != boot.number or abs(now - boot.seconds - seen["origin"]) > SET_SECONDS


def discard(store: Store, destinations: Collection[int], *, letters: bool = False) -> int:
    """Give up what waits for these destinations and is not on its way now, or delete their dead letters.

    Returns the number of records.
    """
    chosen = f"destination IN ({listed(destinations)})"
    with store.index.transaction() as index:
        if letters:
            return index.execute(f"DELETE FROM dead_letters WHERE {chosen}").rowcount
        rows, files = _drop(store, index, chosen, "discarded by command")
    store.bodies.remove(files)
    return rows


def touch(store: Store) -> None:
    """Raise what a write would, and change nothing: a disk that is read-only lets everybody read."""
    with store.index.transaction() as index:
        index.execute("UPDATE state SET value = value WHERE name = 'bytes'")


def _drop_old(store: Store, max_age: float) -> int:
    with store.index.transaction() as index:
        # In one transaction: somebody may set the clock at any moment, and another process follow it.
        now = _followed(store, index)
        if now is None:
            return 0
        rows, files = _drop(store, index, f"created < {now - max_age}", "older than the age limit")
    store.bodies.remove(files)
    return rows


def _drop(
    store: Store, index: sqlite3.Connection, condition: str, reason: str
) -> tuple[int, list[str | None]]:
    """Delete batches that nobody sends at this moment, and count their rows as dropped for `reason`.

    Returns the number of rows, and their files, to be removed once the transaction is committed.
    """
    chosen = index.execute(
        f"SELECT number, destination, kind, rows, file FROM batches WHERE {condition} "
        "AND (owner IS NULL OR leased_until < ?)",
        (store.clock.time(),),
    ).fetchall()
    for number, destination, kind, rows, _ in chosen:
        index.execute("DELETE FROM batches WHERE number = ?", (number,))
        count(index, destination, kind, Outcome.DROPPED, rows, reason)
    return sum(rows for *_, rows, _ in chosen), [file for *_, file in chosen]
