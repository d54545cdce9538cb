"""What must be gone before a row may leave, and which record is kept where one was suppressed."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from otel_arthur.spool import keys
from otel_arthur.spool.records import Kind, Record, call_of, key_of
from otel_arthur.spool.store import Store


def preceding(store: Store, destination: int, ids: Sequence[str]) -> list[str | None]:
    """For each inference id the id under which its call is sent, None while that one still waits.

    Raises:
        sqlite3.Error: the spool cannot be read.
    """
    with store.index.transaction() as index:
        kept = [_kept_for(index, destination, one) for one in ids]
        digests = [_key(destination, one) for one in kept]
        known = keys.known(index, set(digests))
        waiting = {
            number
            for number in set(known.values())
            if index.execute("SELECT 1 FROM batches WHERE number = ?", (number,)).fetchone()
        }
    return [None if known.get(key) in waiting else one for one, key in zip(kept, digests, strict=True)]


def destination_of(store: Store, destinations: Sequence[int], inference_id: str) -> int | None:
    """The destination whose spool has or had the inference, as far as is remembered."""
    with store.index.transaction() as index:
        for destination in destinations:
            kept = _kept_for(index, destination, inference_id)
            if keys.known(index, {_key(destination, kept)}):
                return destination
    return None


def _key(destination: int, inference_id: str) -> int:
    return key_of(destination, Kind.INFERENCE, Record(inference_id, b""))


def _kept_for(index: sqlite3.Connection, destination: int, inference_id: str) -> str:
    """The id under which the call of an inference was sent: its own, or that of its kept duplicate."""
    row = index.execute(
        "SELECT winner FROM duplicates WHERE destination = ? AND loser = ?",
        (destination, call_of(inference_id)),
    ).fetchone()
    return inference_id if row is None else f"{row[0]}-{inference_id.rpartition('-')[2]}"
