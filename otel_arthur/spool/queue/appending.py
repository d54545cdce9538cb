"""How rows come into the spool: durably, each key once."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from otel_arthur.spool.batches import Appended, NewBatch
from otel_arthur.spool.destination import Destination
from otel_arthur.spool.disk.bodies import Body
from otel_arthur.spool.disk.index.database import BUSY_SECONDS
from otel_arthur.spool.disk.store import NOWHERE, Store, count
from otel_arthur.spool.outcomes import APPENDED, Outcome
from otel_arthur.spool.rows import Row, Rows, keys_of, names_of, pack_keys, packed


class _Keyed(NamedTuple):
    """Rows with their keys, in one order."""

    keys: Sequence[int]
    rows: Rows

    def without(self, known: Collection[int]) -> _Keyed:
        """Each of the others once: of two of one key the later."""
        left = {key: row for key, row in zip(self.keys, self.rows, strict=True) if key not in known}
        return _Keyed(list(left), packed(list(left.values()), self.rows.around))


def append(store: Store, destination: Destination, batch: NewBatch) -> Appended:
    """Add rows. Those whose key is known already are left out.

    Raises:
        sqlite3.Error, OSError, SpoolError: nothing was added, or not all. What was is known the next time.
    """
    total = Counter[str]()
    for rows in _once_each(packed(batch.rows)):
        keyed = _Keyed(keys_of(destination.number, batch.kind, rows), rows)
        if len(set(keyed.keys)) < len(rows):
            keyed = keyed.without(())
        # The index first: bodies beside an empty one are taken for those of an index that is gone.
        store.incoming.make_ready()
        # Before the transaction, as others wait for its end.
        body = store.bodies.write(keyed.rows)
        # The latest calls are looked into and added to by one thread at a time, as the index is.
        with store.latest.lock:
            total.update(_append_keyed(store, destination, batch, keyed, body, len(rows))._asdict())
    return Appended(**total)


def insert(
    store: Store,
    index: sqlite3.Connection,
    destination: Destination,
    batch: NewBatch,
    body: Body,
    keys: Collection[int],
) -> None:
    """Add one batch in a transaction, and remember the keys of its rows."""
    now = store.clock.time()
    add_destination(index, destination)
    keys = [*keys, *names_of(destination.number, batch.kind, batch.rows)]
    number = index.execute(
        "INSERT INTO batches (destination, kind, form, rows, bytes, checksum, created, held, ready_at, "
        "set_at, body, file, framing, keys, free_at, sent_at) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            destination.number,
            batch.kind,
            batch.form,
            len(batch.rows),
            body.size,
            body.checksum,
            now,
            batch.evidence is not None and batch.hold > 0,
            now + batch.hold,
            now,
            body.inline,
            body.file,
            body.framing,
            pack_keys(keys),
            None if batch.patience is None else now + batch.patience,
            batch.sent_at,
        ),
    ).lastrowid
    assert number is not None
    if (evidence := batch.evidence) is not None:
        index.execute(
            "INSERT INTO evidence (batch, destination, at, scopes, body, ended) VALUES (?, ?, ?, ?, ?, ?)",
            (number, destination.number, now, evidence.labels, evidence.body, evidence.ended),
        )
        if evidence.original is not None:
            store.keep_original(number, evidence.original)
    store.keys.add(index, keys, number)


def add_destination(index: sqlite3.Connection, destination: Destination) -> None:
    """Remember a destination."""
    index.execute(
        "INSERT OR IGNORE INTO destinations (number, endpoint, identity, model, target) "
        "VALUES (?, ?, ?, ?, ?)",
        (
            destination.number,
            destination.endpoint,
            destination.identity,
            destination.model,
            destination.target,
        ),
    )


def count_all(store: Store, counts: Mapping[tuple[str, str], int], patience: float = BUSY_SECONDS) -> None:
    """Add what is no row to the counters, by outcome and reason; errors as `append`.

    Args:
        patience: seconds to wait at most where another process holds the database.
    """
    with store.index.transaction(patience) as index:
        for (outcome, reason), number in counts.items():
            count(index, NOWHERE, 1, outcome, number, reason)


def _append_keyed(
    store: Store, destination: Destination, batch: NewBatch, keyed: _Keyed, body: Body, given: int
) -> Appended:
    number = destination.number
    is_inserted = False
    try:
        with store.incoming.transaction() as index:
            known = _known(store, index, number, keyed, batch)
            if known:
                keyed = keyed.without(known)
                store.bodies.remove([body.file])
                body = store.bodies.write(keyed.rows)
            left = len(keyed.keys)
            full = left > 0 and not store.room.takes(index, body.size)
            if left and not full:
                if not store.bodies.has(body):
                    # Another thread has set a damaged database aside meanwhile, and this body with it.
                    body = store.bodies.write(keyed.rows)
                insert(store, index, destination, replace(batch, rows=keyed.rows), body, keyed.keys)
                is_inserted = True
            appended = Appended(0 if full else left, given - left, left if full else 0)
            for outcome, rows in zip((APPENDED, Outcome.KNOWN, Outcome.REFUSED), appended, strict=True):
                count(index, number, batch.kind, outcome, rows)
    except BaseException:
        store.bodies.remove([body.file])
        raise
    if not is_inserted:
        store.bodies.remove([body.file])
    elif batch.ended is not None:
        store.latest.add(keyed.keys, batch.ended[1])
    return appended


def _known(
    store: Store, index: sqlite3.Connection, destination: int, keyed: _Keyed, batch: NewBatch
) -> Collection[int]:
    if batch.is_live and batch.ended is not None and store.latest.knows_all_since(batch.ended[0]):
        return store.latest.known(keyed.keys)
    known = store.keys.known(index, keyed.keys)
    if not keyed.rows.are_versioned:
        return known
    versioned = {key: row for key, row in zip(*keyed, strict=True) if key in known and row.version}
    # Where another version of an id came since, the one before it is news again.
    names = names_of(destination, batch.kind, list(versioned.values()))
    latest = store.keys.known(index, names)
    overtaken = {key for key, name in zip(versioned, names, strict=True) if latest.get(name, 0) > known[key]}
    return known.keys() - overtaken


def _once_each(rows: Rows) -> Sequence[Rows]:
    """The rows in their order, in parts that have each id once: a correction is a batch of its own."""
    if not rows.are_versioned:
        return [rows]
    parts: list[list[Row]] = []
    seen = Counter[str]()
    for row in rows:
        if seen[row.id] == len(parts):
            parts.append([])
        parts[seen[row.id]].append(row)
        seen[row.id] += 1
    return [packed(part, rows.around) for part in parts]
