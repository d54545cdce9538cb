"""The duplicate window: records are held until it is decided which of them describe one call.

What was decided not long ago is evidence too: a call's second description, coming late, is then the
duplicate, whichever of the two would have won, as the first is with Arthur already.
"""

from __future__ import annotations

import sqlite3
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from otel_arthur.inference.completion import completed_row
from otel_arthur.spool.leases import MAX_WAIT_SECONDS, is_due
from otel_arthur.spool.records import Kind, call_of, row_id, split
from otel_arthur.spool.store import Store, count, replace_rows

MEMORY_SECONDS = 300.0
"""How long the evidence of what was decided is kept, or six windows if that is longer."""

REDIRECT_SECONDS = 7 * 86_400.0
"""How long it is remembered which inference was kept for a duplicate, for ground truth that comes late."""


class Testimony(NamedTuple):
    """The evidence of one batch."""

    body: bytes
    is_held: bool
    """Its calls are to be decided about; those of the others were."""


Decide = Callable[[Sequence[Testimony], Mapping[str, str]], Mapping[str, str]]
"""From all evidence, and the duplicates found before (call -> the call that was kept), to the duplicates
among the calls that are held."""


class _Held(NamedTuple):
    number: int
    is_due: bool


def close_window(
    store: Store, destination: int, window: float, decide: Decide, *, at_once: bool = False
) -> int:
    """Decide about what is due and let it go to the senders; returns how many records were duplicates.

    Args:
        window: seconds; it says how long evidence is remembered.
        at_once: all that is held is due: somebody flushes.

    Raises:
        sqlite3.Error, OSError: nothing is decided.
    """
    now = time.time()
    if not any(batch.is_due for batch in _held(store.index.read(*_query(destination)), now, at_once)):
        return 0
    removed_files: list[str | None] = []
    with store.index.transaction() as index:
        # Again, with the write lock: another process may have decided about them.
        held = _held(index.execute(*_query(destination)).fetchall(), now, at_once)
        _forget(index, destination, now - max(MEMORY_SECONDS, 6 * window))
        since = now - 3 * window
        losers = _losers(index, destination, {batch.number for batch in held}, since, decide)
        removed = _remove(store, index, losers, held, removed_files)
        index.executemany(
            "INSERT OR REPLACE INTO duplicates VALUES (?, ?, ?, ?)",
            [(destination, loser, winner, now) for loser, winner in losers.items()],
        )
        count(index, destination, Kind.INFERENCE, "duplicate", removed)
        # As `is_due` has it: of an outage there may be more than a statement can list.
        index.execute(
            "UPDATE batches SET held = 0, ready_at = 0 WHERE destination = ? AND kind = ? AND held = 1 "
            "AND (? OR NOT (ready_at > ? AND ready_at < ?))",
            (destination, int(Kind.INFERENCE), at_once, now, now + MAX_WAIT_SECONDS),
        )
    store.bodies.remove(removed_files)
    return removed


def _query(destination: int) -> tuple[str, tuple[int, int]]:
    return (
        "SELECT number, ready_at FROM batches WHERE destination = ? AND kind = ? AND held = 1 "
        "ORDER BY number",
        (destination, int(Kind.INFERENCE)),
    )


def _held(rows: Sequence[Any], now: float, at_once: bool) -> list[_Held]:
    return [_Held(number, at_once or is_due(at, now)) for number, at in rows]


def _forget(index: sqlite3.Connection, destination: int, before: float) -> None:
    index.execute(
        "DELETE FROM evidence WHERE destination = ? AND at < ? "
        "AND batch NOT IN (SELECT number FROM batches WHERE destination = ? AND held = 1)",
        (destination, before, destination),
    )
    index.execute(
        "DELETE FROM duplicates WHERE destination = ? AND at < ?", (destination, before - REDIRECT_SECONDS)
    )


def _losers(
    index: sqlite3.Connection, destination: int, held: set[int], since: float, decide: Decide
) -> Mapping[str, str]:
    """Calls of held batches that are duplicates: call -> the call that is sent for it.

    Args:
        since: two spans of one scope that are one call end together, so of a single scope no evidence that
            came before counts.
    """
    labels = {
        label
        for (labels_of_batch,) in index.execute(
            "SELECT DISTINCT scopes FROM evidence WHERE destination = ?", (destination,)
        )
        for label in labels_of_batch.split("\n")
    }
    testimonies = [
        Testimony(body, number in held)
        for number, body in index.execute(
            "SELECT batch, body FROM evidence WHERE destination = ? AND at >= ?",
            (destination, since if len(labels) < 2 else 0.0),
        )
    ]
    before = index.execute("SELECT loser, winner FROM duplicates WHERE destination = ?", (destination,))
    return decide(testimonies, dict(before.fetchall()))


def _remove(
    store: Store,
    index: sqlite3.Connection,
    losers: Mapping[str, str],
    held: Sequence[_Held],
    removed_files: list[str | None],
) -> int:
    removed = 0
    lost: dict[str, list[bytes]] = defaultdict(list)
    winners = set(losers.values())
    concerned: list[int] = []
    for batch in held if losers else ():
        for line in (lines := _lines(store, index, batch.number)[0]):
            identity = row_id(line)
            if (winner := losers.get(call := call_of(identity))) is not None:
                lost[identity.replace(call, winner)].append(line)
        if any(call_of(row_id(line)) in losers or call_of(row_id(line)) in winners for line in lines):
            concerned.append(batch.number)
    for number in concerned:
        lines, file = _lines(store, index, number)
        kept = [_completed(line, lost) for line in lines if call_of(row_id(line)) not in losers]
        if kept == lines:
            continue
        removed += len(lines) - len(kept)
        removed_files.append(file)
        if kept:
            replace_rows(store, index, number, kept)
        else:
            index.execute("DELETE FROM batches WHERE number = ?", (number,))
    return removed


def _lines(store: Store, index: sqlite3.Connection, number: int) -> tuple[list[bytes], str | None]:
    """The rows of a batch and its file; none of one that is damaged, which is counted when it is leased."""
    body, file, rows = index.execute(
        "SELECT body, file, rows FROM batches WHERE number = ?", (number,)
    ).fetchone()
    lines = split(store.bodies.read(body, file))
    return (lines if len(lines) == rows else []), file


def _completed(line: bytes, lost: Mapping[str, Sequence[bytes]]) -> bytes:
    others = lost.get(row_id(line))
    return line if others is None else completed_row(line, others)
