"""The duplicate window: records are held until it is decided which of them describe one call.

What was decided not long ago is evidence too: a call's second description, coming late, is then the
duplicate, whichever of the two would have won, as the first is with Arthur already.
"""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from otel_arthur.spool.disk.bodies import BODY_COLUMNS, Body
from otel_arthur.spool.disk.store import Store, count, replace_rows
from otel_arthur.spool.queue.leases import IS_DUE, due
from otel_arthur.spool.rows import Row

MEMORY_SECONDS = 300.0
"""How long the evidence of what was decided is kept, or six windows if that is longer."""

REDIRECT_SECONDS = 7 * 86_400.0
"""How long it is remembered which inference was kept for a duplicate, for ground truth that comes late."""


class Testimony(NamedTuple):
    """The evidence of one batch."""

    body: bytes
    is_held: bool
    """Its calls are to be decided about; those of the others were."""


class Judge(Protocol):
    """A target's say about duplicates."""

    def decide(self, testimonies: Sequence[Testimony], known: Mapping[str, str]) -> Mapping[str, str]:
        """The duplicates among the groups that are held: group -> the group that is sent for it.

        Args:
            known: the duplicates found before, in the same form.
        """
        ...

    def demote(self, row: Row, kept: str) -> Row | None:
        """What goes in the place of a duplicate's row, if anything; `kept` is the group that was kept."""
        ...

    def complete(self, row: Row, duplicates: Sequence[Row]) -> Row:
        """A row that is kept, with what it lacks and its duplicates have."""
        ...


class _Held(NamedTuple):
    number: int
    is_due: bool


def close_window(
    store: Store,
    destination: int,
    window: float,
    judge: Judge,
    *,
    at_once: bool = False,
) -> int:
    """Decide about what is due and let it go to the senders; returns how many rows were removed.

    Args:
        window: seconds; it says how long evidence is remembered.
        at_once: all that is held is due: somebody flushes.

    Raises:
        sqlite3.Error, OSError: nothing is decided.
    """
    now = store.clock.time()
    if not any(batch.is_due for batch in _held(store.index.read, destination, now, at_once)):
        return 0
    removed_files: list[str | None] = []
    with store.index.transaction() as index:
        # Again, with the write lock: another process may have decided about them.
        held = _held(index.execute, destination, now, at_once)
        _forget(index, destination, now - max(MEMORY_SECONDS, 6 * window))
        losers = _losers(index, destination, {batch.number for batch in held}, judge)
        removed = _remove(store, index, losers, judge, held, removed_files)
        index.executemany(
            "INSERT OR REPLACE INTO duplicates VALUES (?, ?, ?, ?)",
            [(destination, loser, winner, now) for loser, winner in losers.items()],
        )
        for kind, number in removed.items():
            count(index, destination, kind, "duplicate", number)
        index.execute(
            "UPDATE batches SET held = 0, ready_at = 0 "
            f"WHERE destination = ? AND held = 1 AND (? OR {IS_DUE})",
            (destination, at_once, *due(now)),
        )
    store.bodies.remove(removed_files)
    return sum(removed.values())


def _held(
    query: Callable[[str, tuple[Any, ...]], Iterable[Any]], destination: int, now: float, at_once: bool
) -> list[_Held]:
    return [
        _Held(number, bool(at_once or is_due))
        for number, is_due in query(
            f"SELECT number, {IS_DUE} FROM batches WHERE destination = ? AND held = 1 ORDER BY number",
            (*due(now), destination),
        )
    ]


def _forget(index: sqlite3.Connection, destination: int, before: float) -> None:
    index.execute(
        "DELETE FROM evidence WHERE destination = ? AND at < ? "
        "AND batch NOT IN (SELECT number FROM batches WHERE destination = ? AND held = 1)",
        (destination, before, destination),
    )
    index.execute(
        "DELETE FROM duplicates WHERE destination = ? AND at < ?", (destination, before - REDIRECT_SECONDS)
    )


def _losers(index: sqlite3.Connection, destination: int, held: set[int], judge: Judge) -> Mapping[str, str]:
    """Groups of held batches that are duplicates: group -> the group that is sent for it."""
    labels = {
        label
        for (labels_of_batch,) in index.execute(
            "SELECT DISTINCT scopes FROM evidence WHERE destination = ?", (destination,)
        )
        for label in labels_of_batch.split("\n")
        if label
    }
    if len(labels) < 2:
        return {}
    testimonies = [
        Testimony(body, number in held)
        for number, body in index.execute(
            "SELECT batch, body FROM evidence WHERE destination = ?", (destination,)
        )
    ]
    before = index.execute("SELECT loser, winner FROM duplicates WHERE destination = ?", (destination,))
    return judge.decide(testimonies, dict(before.fetchall()))


def _remove(
    store: Store,
    index: sqlite3.Connection,
    losers: Mapping[str, str],
    judge: Judge,
    held: Sequence[_Held],
    removed_files: list[str | None],
) -> Counter[int]:
    """Rows removed by kind; those that are kept take from them what they lack."""
    removed: Counter[int] = Counter()
    lost: dict[str, list[Row]] = defaultdict(list)
    concerned: dict[int, list[Row]] = {}
    winners = set(losers.values())
    for batch in held if losers else ():
        rows = _rows(store, index, batch.number)
        for row in rows:
            if (winner := losers.get(row.group)) is not None:
                lost[winner + row.id[row.stem :]].append(row)
        if any(row.group in losers or row.group in winners for row in rows):
            concerned[batch.number] = rows
    for number, rows in concerned.items():
        kept = [one for row in rows if (one := _kept(row, losers, lost, judge)) is not None]
        if kept == rows:
            continue
        kind, file = index.execute("SELECT kind, file FROM batches WHERE number = ?", (number,)).fetchone()
        removed[kind] += len(rows) - len(kept)
        removed_files.append(file)
        if kept:
            replace_rows(store, index, number, kept)
        else:
            index.execute("DELETE FROM batches WHERE number = ?", (number,))
    return removed


def _kept(row: Row, losers: Mapping[str, str], lost: Mapping[str, Sequence[Row]], judge: Judge) -> Row | None:
    if (winner := losers.get(row.group)) is not None:
        return judge.demote(row, winner)
    duplicates = lost.get(row.id)
    return row if duplicates is None else judge.complete(row, duplicates)


def _rows(store: Store, index: sqlite3.Connection, number: int) -> list[Row]:
    """The rows of a batch; none of one that is damaged, which is counted when it is leased."""
    *body, kind, count_written = index.execute(
        f"SELECT {BODY_COLUMNS}, kind, rows FROM batches WHERE number = ?", (number,)
    ).fetchone()
    try:
        rows = store.bodies.rows(Body(*body), kind, is_last=False)
    except OSError:
        return []  # It waits until it can be read, and is then sent without being compared.
    return rows if rows is not None and len(rows) == count_written else []
