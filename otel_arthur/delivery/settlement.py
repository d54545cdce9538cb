"""Settling the duplicate window: of the records that are held, which describe a call that another one tells.

What was settled not long ago is evidence too: a call's second description, coming late, is then the
duplicate, whichever of the two would have won, as the first is with Arthur already.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from typing import Any, NamedTuple

from otel_arthur.delivery.leases import MAX_WAIT_SECONDS, is_due
from otel_arthur.delivery.records import Kind, call_of, row_id, split
from otel_arthur.delivery.spool import Spool, add
from otel_arthur.genai.duplicates.evidence import Evidence, all_from_json
from otel_arthur.genai.duplicates.matching import duplicates
from otel_arthur.genai.span import SpanKey

MEMORY_SECONDS = 300.0
"""How long the evidence of what was settled is kept, or six windows if that is longer."""

REDIRECT_SECONDS = 7 * 86_400.0
"""How long it is remembered which inference was kept for a duplicate, for ground truth that comes late."""


class _Held(NamedTuple):
    number: int
    is_due: bool


def settle(spool: Spool, destination: int, window: float, *, at_once: bool = False) -> int:
    """Settle what is due and let it go to the senders; returns how many records were duplicates.

    Args:
        at_once: all that is held is due: somebody flushes.

    Raises:
        sqlite3.Error, OSError: nothing is settled.
    """
    now = time.time()
    if not any(batch.is_due for batch in _held(spool.index.read(*_query(destination)), now, at_once)):
        return 0
    removed_files: list[str | None] = []
    with spool.index.transaction() as index:
        # Again, with the write lock: another process may have settled them.
        held = _held(index.execute(*_query(destination)).fetchall(), now, at_once)
        _forget(index, destination, now - max(MEMORY_SECONDS, 6 * window))
        losers = _losers(index, destination, {batch.number for batch in held})
        count = _remove(spool, index, destination, losers, held, now, removed_files)
        # As `is_due` has it: of an outage there may be more than a statement can list.
        index.execute(
            "UPDATE batches SET held = 0, ready_at = 0 WHERE destination = ? AND kind = ? AND held = 1 "
            "AND (? OR NOT (ready_at > ? AND ready_at < ?))",
            (destination, int(Kind.INFERENCE), at_once, now, now + MAX_WAIT_SECONDS),
        )
    spool.bodies.remove(removed_files)
    return count


def winner_of(index: sqlite3.Connection, destination: int, inference_id: str) -> str:
    """The id under which the call of an inference was sent: its own, or that of its kept duplicate."""
    row = index.execute(
        "SELECT winner FROM duplicates WHERE destination = ? AND loser = ?",
        (destination, call_of(inference_id)),
    ).fetchone()
    return inference_id if row is None else f"{row[0]}-{inference_id.rpartition('-')[2]}"


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


def _losers(index: sqlite3.Connection, destination: int, held: set[int]) -> dict[str, str]:
    """Calls of held batches that are duplicates: call -> the call that is sent for it."""
    scopes = {
        scope
        for (scopes_of_batch,) in index.execute(
            "SELECT DISTINCT scopes FROM evidence WHERE destination = ?", (destination,)
        )
        for scope in scopes_of_batch.split("\n")
    }
    if len(scopes) < 2:
        return {}
    candidates: list[Evidence] = []
    waiting: set[SpanKey] = set()
    for number, body in index.execute(
        "SELECT batch, body FROM evidence WHERE destination = ?", (destination,)
    ).fetchall():
        try:
            found = all_from_json(body)
        except ValueError:
            continue  # Not what we wrote: its calls are sent without being compared.
        candidates += found
        if number in held:
            waiting.update(evidence.key for evidence in found)
    known = dict(
        index.execute("SELECT loser, winner FROM duplicates WHERE destination = ?", (destination,)).fetchall()
    )
    groups: dict[SpanKey, list[SpanKey]] = {}
    for loser, winner in duplicates(candidates).items():
        groups.setdefault(winner, [winner]).append(loser)
    losers: dict[str, str] = {}
    for winner, members in groups.items():
        sent = [key for key in members if key not in waiting and _name(key) not in known]
        kept = sent[0] if sent else winner
        losers.update(
            {
                _name(key): _name(kept)
                for key in members
                if key != kept and key in waiting and _name(key) not in known
            }
        )
    return losers


def _name(key: SpanKey) -> str:
    return f"{key[0]}-{key[1]}"


def _remove(
    spool: Spool,
    index: sqlite3.Connection,
    destination: int,
    losers: dict[str, str],
    held: Sequence[_Held],
    now: float,
    removed_files: list[str | None],
) -> int:
    if not losers:
        return 0
    count = 0
    for batch in held:
        body, file, rows = index.execute(
            "SELECT body, file, rows FROM batches WHERE number = ?", (batch.number,)
        ).fetchone()
        lines = split(spool.bodies.read(body, file))
        if len(lines) != rows:
            continue  # Damaged: found and counted when it is leased.
        kept = [line for line in lines if call_of(row_id(line)) not in losers]
        if len(kept) == rows:
            continue
        count += rows - len(kept)
        removed_files.append(file)
        if kept:
            spool.replace_rows(index, batch.number, kept)
        else:
            index.execute("DELETE FROM batches WHERE number = ?", (batch.number,))
    index.executemany(
        "INSERT OR REPLACE INTO duplicates VALUES (?, ?, ?, ?)",
        [(destination, loser, winner, now) for loser, winner in losers.items()],
    )
    add(index, destination, Kind.INFERENCE, "duplicate", count)
    return count
