"""How batches leave the spool: leased to one sender, and gone when each of their rows has an outcome."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from otel_arthur.spool.batches import Batch, BatchOutcome
from otel_arthur.spool.disk.bodies import inline
from otel_arthur.spool.disk.losses import GONE
from otel_arthur.spool.disk.store import Store, count, listed, replace_rows
from otel_arthur.spool.outcomes import Outcome
from otel_arthur.spool.queue.precedence import Order, sort
from otel_arthur.spool.queue.reading import Stored, give_up, rows_of, stored
from otel_arthur.spool.rows import Row, keys_of, names_of, pack_keys

MAX_WAIT_SECONDS: Final = 86_400.0
"""No lease and no wait is longer: what says so was written before a clock was set back."""
BLOCKED_SECONDS: Final = 2.0

IS_DUE: Final = "(ready_at <= ? OR ready_at > ? OR set_at > ?)"
"""With the values of `due`: its moment has come, or a clock was set back since that was written."""
_CLOCK_SECONDS: Final = 5.0
"""Clocks are set so little without anybody noticing."""


@dataclass(frozen=True, slots=True)
class Terms:
    """Of a lease. A single batch may exceed `rows` and `bytes`."""

    rows: int = 512
    bytes: int = 4 * 1024 * 1024
    seconds: float = 60.0
    in_order: bool = False
    """One sender at a time, and one row of an id: a correction does not overtake what it corrects."""
    doubt: float | None = None
    """For a target that takes a row twice: should the holder die, nobody knows what became of the rows, and
    they are leased again after so many seconds, as presented before. None: presenting again does no harm."""
    blocked: float = BLOCKED_SECONDS
    """Between looks at rows that must wait for others."""


_CANDIDATES: Final = f"destination = ? AND kind = ? AND held = 0 AND {IS_DUE}"


def due(now: float) -> tuple[float, float, float]:
    """The values for `IS_DUE`."""
    return now, now + MAX_WAIT_SECONDS, now + _CLOCK_SECONDS


def lease(store: Store, destination: int, kind: int, terms: Terms) -> list[Batch]:
    """The oldest batches of a destination that are due, now leased to us.

    A lease ends with its time or its holder's process. Batches found damaged are set aside and counted. Those
    that cannot be read now hold nobody up.

    Raises:
        sqlite3.Error, OSError: nothing is leased.
    """
    tried: set[int] = set()
    while True:
        chosen, found = _lease(store, destination, kind, terms)
        numbers = {one.number for one in chosen}
        # What cannot be read is not due any more, or is again on a machine that takes so long.
        if found or numbers <= tried or numbers.isdisjoint(store.unreadable):
            return found
        tried |= numbers


def _lease(store: Store, destination: int, kind: int, terms: Terms) -> tuple[Sequence[Stored], list[Batch]]:
    query = (destination, kind, *due(store.clock.time()))
    # Looked at first without the lock that others wait for: mostly nothing is due.
    if not store.index.read(f"SELECT 1 FROM batches WHERE {_CANDIDATES} LIMIT 1", query):
        return [], []
    with store.index.transaction() as index:
        # Anew: after a wait for the lock, another's lease would look like one of before a clock was set back.
        now = store.clock.time()
        query = (destination, kind, *due(now))
        owner = store.owner.name
        chosen = [one._replace(owner=owner) for one in _choose(store, index, query, now, terms)]
        index.execute(
            "UPDATE batches SET owner = ?, leased_until = ?, set_at = ?, sent_at = ifnull(?, sent_at), "
            f"ready_at = ifnull(?, ready_at) WHERE number IN ({listed(one.number for one in chosen)})",
            (
                owner,
                now + terms.seconds,
                now,
                None if terms.doubt is None else now,
                None if terms.doubt is None else now + terms.doubt,
            ),
        )
    held = list(chosen)
    found: list[Batch] = []
    try:
        numbers = [one.number for one in chosen]
        order = Order(store, destination, kind, numbers) if terms.in_order and chosen else None
        for one in chosen:
            batch = _read(store, one, now, terms.blocked, order)
            if batch is None:
                held.remove(one)
            else:
                found.append(batch)
    except BaseException:
        read = len(found)
        give_up(store, [*held[read:], *held[:read]])
        raise
    return chosen, found


def finish(store: Store, outcomes: Sequence[BatchOutcome]) -> list[BatchOutcome]:
    """Record outcomes in one transaction; rows that wait are leased to nobody. Returns what was recorded:
    not the batches whose lease was lost, as whoever has it now records theirs. Of an index that is gone the
    outcomes are the caller's alone to record, and what waits there is lost.

    Raises:
        sqlite3.Error, OSError: nothing is recorded; the leases end and the rows are presented again.
    """
    now = store.clock.time()
    new_files: list[str | None] = []
    old_files: list[str | None] = []
    recorded: list[BatchOutcome] = []
    gone = 0
    try:
        with store.index.transaction() as index:
            for outcome in outcomes:
                batch = outcome.batch
                waiting = [*outcome.waiting, *batch.blocked]
                if store.has_left(batch.owner):
                    # Its number may be another batch's in the index of now.
                    recorded.append(outcome)
                    gone += len(waiting)
                    continue
                row = index.execute(
                    "SELECT file, rows FROM batches WHERE number = ? AND owner = ?",
                    (batch.number, batch.owner),
                ).fetchone()
                if row is None:
                    continue
                recorded.append(outcome)
                file, count_before = row
                if not waiting:
                    index.execute("DELETE FROM batches WHERE number = ?", (batch.number,))
                elif len(waiting) < count_before or outcome.waiting != batch.rows:
                    new_files.append(replace_rows(store, index, batch.number, waiting))
                    _rekey(index, batch, waiting)
                else:
                    file = None
                old_files.append(file)
                if waiting:
                    _put_back(index, outcome, now)
                _record(index, outcome, now)
    except BaseException:
        store.bodies.remove(new_files)
        raise
    store.bodies.remove(old_files)
    store.losses.add(GONE, gone)
    return recorded


def note_error(store: Store, destination: int, error: str | None) -> None:
    """Keep the last error of a destination for ``spool status``."""
    with store.index.transaction() as index:
        index.execute(
            "UPDATE destinations SET last_error = ?, last_error_at = ? WHERE number = ?",
            (error, store.clock.time() if error else None, destination),
        )


def _choose(
    store: Store, index: sqlite3.Connection, query: tuple[float, ...], now: float, terms: Terms
) -> list[Stored]:
    chosen: list[Stored] = []
    rows = size = 0
    candidates = stored(index, _CANDIDATES, query)
    for candidate in candidates:
        if is_leased(store, candidate.owner, candidate.leased_until, candidate.set_at, now):
            if terms.in_order:
                break
            continue
        first = chosen[0] if chosen else candidate
        rows += candidate.rows
        size += candidate.body.size
        is_other = (candidate.form, candidate.sent_at is None) != (first.form, first.sent_at is None)
        if chosen and (rows > terms.rows or size > terms.bytes or is_other):
            break
        chosen.append(candidate)
        if rows >= terms.rows:
            break
    candidates.close()
    return chosen


def is_leased(store: Store, owner: str | None, until: float | None, set_at: float | None, now: float) -> bool:
    """Whether somebody sends a batch whose lease is such."""
    if owner is None or until is None:
        return False
    # A lease of before a clock was set back, or one that has run out, binds nobody.
    is_set_back = set_at is not None and set_at > now + _CLOCK_SECONDS
    if is_set_back or not now < until < now + MAX_WAIT_SECONDS:
        return False
    return not store.owner.is_dead(owner)


def _read(
    store: Store, candidate: Stored, now: float, blocked_wait: float, order: Order | None
) -> Batch | None:
    """The batch with those of its rows that may leave; None where there are none."""
    rows = rows_of(store, candidate)
    if rows is None:
        return None
    batch = candidate.leased(rows)
    if not rows.are_free and not (candidate.free_at is not None and candidate.free_at <= now):
        ready, blocked = sort(store, candidate.destination, rows)
        batch = replace(batch, rows=ready, blocked=blocked)
    if order is not None:
        order.block(batch.blocked)
        ready, late = order.pick(batch.rows)
        batch = replace(batch, rows=ready, blocked=[*batch.blocked, *late])
    if batch.rows:
        return batch
    finish(store, [BatchOutcome(batch, wait=blocked_wait)])
    return None


def _put_back(index: sqlite3.Connection, outcome: BatchOutcome, now: float) -> None:
    batch = outcome.batch
    wait = max(outcome.wait, BLOCKED_SECONDS if batch.blocked and not outcome.wait else 0.0)
    index.execute(
        "UPDATE batches SET owner = NULL, ready_at = ?, set_at = ?, sent_at = ?, attempts = attempts + ? "
        "WHERE number = ?",
        (
            now + wait,
            now,
            # Only rows that were presented: what has not left is not in doubt.
            (batch.sent_at or now) if outcome.is_unknown and outcome.waiting else None,
            outcome.is_attempt,
            batch.number,
        ),
    )


def _rekey(index: sqlite3.Connection, batch: Batch, waiting: Sequence[Row]) -> None:
    """A row that has left the batch no longer holds later rows of its id back."""
    if any(row.version for row in waiting):
        keys = keys_of(batch.destination, batch.kind, waiting)
        names = names_of(batch.destination, batch.kind, waiting)
        index.execute(
            "UPDATE batches SET keys = ? WHERE number = ?", (pack_keys([*keys, *names]), batch.number)
        )


def _record(index: sqlite3.Connection, outcome: BatchOutcome, now: float) -> None:
    batch = outcome.batch
    count(index, batch.destination, batch.kind, Outcome.SENT, outcome.sent)
    count(index, batch.destination, batch.kind, Outcome.DEAD_LETTER, len(outcome.dead))
    count(index, batch.destination, batch.kind, Outcome.SKIPPED, outcome.skipped, outcome.skip_reason)
    count(index, batch.destination, batch.kind, Outcome.MOVED, outcome.moved)
    for row, reason in outcome.dead:
        add_letter(index, batch.destination, batch.kind, batch.form, now, reason, row)


def add_letter(
    index: sqlite3.Connection, destination: int, kind: int, form: int, at: float, reason: str, row: Row
) -> None:
    """Keep a dead letter, inside a transaction."""
    body = inline([row])
    index.execute(
        "INSERT INTO dead_letters (destination, kind, form, id, at, reason, bytes, row, framing) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (destination, kind, form, row.id, at, reason, body.size, body.inline, body.framing),
    )
