"""How batches leave the spool: leased to one sender, and gone when each of their rows has an outcome."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from otel_arthur.spool.batches import Batch, Settled
from otel_arthur.spool.bodies import Body
from otel_arthur.spool.records import Form, Kind, row_id
from otel_arthur.spool.store import Store, count, listed, replace_rows

MAX_WAIT_SECONDS: Final = 86_400.0
"""No lease and no wait is longer: what says so was written before a clock was set back."""
_COLUMNS: Final = "number, rows, bytes, form, checksum, created, attempts, body, file, owner, leased_until"

_DUE: Final = "destination = ? AND kind = ? AND held = 0 AND (ready_at <= ? OR ready_at > ?)"


@dataclass(frozen=True, slots=True)
class Limits:
    """Of what is leased at once. A single batch may exceed them."""

    rows: int = 512
    bytes: int = 4 * 1024 * 1024
    seconds: float = 60.0


def lease(store: Store, destination: int, kind: Kind, limits: Limits) -> list[Batch]:
    """The oldest batches of a destination that are due, now leased to us.

    A lease ends with its time or its holder's process. Batches found damaged are set aside and counted.

    Raises:
        sqlite3.Error, OSError: nothing is leased.
    """
    now = time.time()
    # Looked at first without the lock that others wait for: mostly nothing is due.
    if not store.index.read(f"SELECT 1 FROM batches WHERE {_DUE} LIMIT 1", _due(destination, kind, now)):
        return []
    with store.index.transaction() as index:
        chosen = _choose(store, index, destination, kind, now, limits)
        index.execute(
            "UPDATE batches SET owner = ?, leased_until = ? "
            f"WHERE number IN ({listed(row[0] for row in chosen)})",
            (store.owner.name, now + limits.seconds),
        )
    leased: list[Batch] = []
    for number, rows, size, form, checksum, created, attempts, inline, file, *_ in chosen:
        lines = store.bodies.rows(Body(size, checksum, inline, file))
        if lines is None or len(lines) != rows:
            _drop_damaged(store, number, destination, kind, rows, file)
        else:
            leased.append(Batch(number, destination, kind, Form(form), created, attempts, lines))
    return leased


def finish(store: Store, results: Sequence[Settled]) -> list[Settled]:
    """Record outcomes in one transaction; rows that wait are leased to nobody. Returns what was recorded:
    not the batches whose lease was lost, as whoever has it now records theirs.

    Raises:
        sqlite3.Error, OSError: nothing is recorded; the leases end and the rows are presented again.
    """
    now = time.time()
    new_files: list[str | None] = []
    old_files: list[str | None] = []
    recorded: list[Settled] = []
    try:
        with store.index.transaction() as index:
            for result in results:
                batch = result.batch
                row = index.execute(
                    "SELECT file FROM batches WHERE number = ? AND owner = ?",
                    (batch.number, store.owner.name),
                ).fetchone()
                if row is None:
                    continue
                recorded.append(result)
                if result.waiting == batch.rows:
                    _release(index, batch.number, now + result.wait)
                elif result.waiting:
                    new_files.append(
                        replace_rows(store, index, batch.number, result.waiting, now + result.wait)
                    )
                    old_files.append(row[0])
                else:
                    index.execute("DELETE FROM batches WHERE number = ?", (batch.number,))
                    old_files.append(row[0])
                if result.waiting and result.is_attempt:
                    index.execute(
                        "UPDATE batches SET attempts = attempts + 1 WHERE number = ?", (batch.number,)
                    )
                _record(index, result, now)
    except BaseException:
        store.bodies.remove(new_files)
        raise
    store.bodies.remove(old_files)
    return recorded


def next_due(store: Store, destinations: str) -> float | None:
    """Seconds until something that is held or postponed becomes due; None when nothing waits."""
    ((at,),) = store.index.read(f"SELECT min(ready_at) FROM batches WHERE destination IN ({destinations})")
    return None if at is None else max(at - time.time(), 0.0)


def can_be_tried(store: Store, destinations: str, seconds: float) -> bool:
    """Whether anything of these destinations is held, on its way, or due within `seconds`, or is gone."""
    ((rows, candidates),) = store.index.read(
        "SELECT count(*), ifnull(sum(held = 1 OR owner IS NOT NULL OR ready_at <= ?), 0) FROM batches "
        f"WHERE destination IN ({destinations})",
        (time.time() + seconds,),
    )
    return candidates > 0 or rows == 0


def left(store: Store, destinations: str) -> dict[tuple[int, Kind], int]:
    """Rows by destination and kind that no other living process has taken to send them."""
    now = time.time()
    found = store.index.read(
        "SELECT destination, kind, owner, leased_until, sum(rows) FROM batches "
        f"WHERE destination IN ({destinations}) GROUP BY destination, kind, owner, leased_until"
    )
    counts: dict[tuple[int, Kind], int] = {}
    for destination, kind, owner, until, rows in found:
        is_free = owner is None or store.owner.is_ours(owner) or is_due(until, now)
        if is_free or store.owner.is_dead(str(owner)):
            key = destination, Kind(kind)
            counts[key] = counts.get(key, 0) + rows
    return counts


def is_due(at: float, now: float) -> bool:
    """Whether a moment has come, or lies so far ahead that a clock must have been set back since."""
    return not now < at < now + MAX_WAIT_SECONDS


def note_error(store: Store, destination: int, error: str | None) -> None:
    """Keep the last error of a destination for ``spool status``."""
    with store.index.transaction() as index:
        index.execute(
            "UPDATE destinations SET last_error = ?, last_error_at = ? WHERE number = ?",
            (error, time.time() if error else None, destination),
        )


def _due(destination: int, kind: Kind, now: float) -> tuple[Any, ...]:
    return destination, int(kind), now, now + MAX_WAIT_SECONDS


def _choose(
    store: Store, index: sqlite3.Connection, destination: int, kind: Kind, now: float, limits: Limits
) -> list[tuple[Any, ...]]:
    chosen: list[tuple[Any, ...]] = []
    rows = size = 0
    candidates = index.execute(
        f"SELECT {_COLUMNS} FROM batches WHERE {_DUE} ORDER BY number", _due(destination, kind, now)
    )
    for candidate in candidates:
        owner, until = candidate[-2:]
        if owner is not None and not is_due(until, now) and not store.owner.is_dead(owner):
            if kind is Kind.GROUND_TRUTH:
                break  # One sender at a time, so that a correction does not overtake what it corrects.
            continue
        rows += candidate[1]
        size += candidate[2]
        if chosen and (rows > limits.rows or size > limits.bytes or candidate[3] != chosen[0][3]):
            break
        chosen.append(candidate)
        if rows >= limits.rows:
            break
    candidates.close()
    return chosen


def _release(index: sqlite3.Connection, number: int, ready_at: float) -> None:
    index.execute("UPDATE batches SET owner = NULL, ready_at = ? WHERE number = ?", (ready_at, number))


def _drop_damaged(
    store: Store, number: int, destination: int, kind: Kind, rows: int, file: str | None
) -> None:
    with store.index.transaction() as index:
        index.execute("DELETE FROM batches WHERE number = ?", (number,))
        count(index, destination, kind, "dropped", rows, "damaged on disk")
    store.bodies.keep_aside(file)


def _record(index: sqlite3.Connection, result: Settled, now: float) -> None:
    batch = result.batch
    count(index, batch.destination, batch.kind, "sent", result.sent)
    count(index, batch.destination, batch.kind, "dead_letter", len(result.dead))
    count(index, batch.destination, batch.kind, "skipped", result.skipped, result.skip_reason)
    count(index, batch.destination, batch.kind, "moved", result.moved)
    index.executemany(
        "INSERT INTO dead_letters (destination, kind, form, id, at, reason, bytes, row) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (batch.destination, int(batch.kind), int(batch.form), row_id(row), now, reason, len(row), row)
            for row, reason in result.dead
        ],
    )
