"""Reading a batch from the index, and its rows: what cannot be read now is not damaged, and waits."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Generator, Sequence
from typing import Any, Final, NamedTuple

from otel_arthur.spool.batches import Batch
from otel_arthur.spool.disk.bodies import BODY_COLUMNS, Body
from otel_arthur.spool.disk.losses import DAMAGED, GONE
from otel_arthur.spool.disk.store import Store, count
from otel_arthur.spool.errors import FAULTS
from otel_arthur.spool.outcomes import Outcome
from otel_arthur.spool.rows import Row, Rows

_logger = logging.getLogger("otel_arthur")

UNREADABLE_SECONDS: Final = 10.0
"""Between tries of rows that cannot be read now."""
GONE_SECONDS: Final = 3600.0
"""Seconds for which a process looks for a missing file: somebody may have moved it, and may bring it back."""


class Stored(NamedTuple):
    """A batch as the index has it."""

    number: int
    destination: int
    kind: int
    form: int
    rows: int
    created: float
    held: int
    ready_at: float
    set_at: float | None
    sent_at: float | None
    free_at: float | None
    attempts: int
    owner: str | None
    leased_until: float | None
    body: Body

    def leased(self, rows: Sequence[Row]) -> Batch:
        """The batch for its sender, who has leased it."""
        return Batch(
            *(self.number, self.destination, self.kind, self.form, self.created, self.attempts, rows),
            owner=self.owner or "",
            sent_at=self.sent_at,
        )


def stored(
    index: sqlite3.Connection, condition: str, values: Sequence[Any] = ()
) -> Generator[Stored, None, None]:
    """The batches of a condition in SQL, oldest first."""
    for row in index.execute(f"SELECT {_COLUMNS} FROM batches WHERE {condition} ORDER BY number", values):
        yield Stored._make((*row[:-_OF_BODY], Body(*row[-_OF_BODY:])))


_COLUMNS: Final = ", ".join([*Stored._fields[:-1], BODY_COLUMNS])
_OF_BODY: Final = len(Body._fields)


def rows_of(store: Store, batch: Stored) -> Rows | None:
    """The rows of a batch that is leased to us; None where they are damaged, or cannot be read now."""
    try:
        rows = store.bodies.rows(batch.body, batch.kind)
    except OSError as error:
        if isinstance(error, FileNotFoundError) and store.gone_for(batch.number) > GONE_SECONDS:
            store.unreadable.pop(batch.number, None)
            _drop(store, batch, GONE)
        else:
            _postpone(store, batch, error)
        return None
    store.unreadable.pop(batch.number, None)
    if rows is None or len(rows) != batch.rows:
        _drop(store, batch, DAMAGED)
        store.bodies.keep_aside(batch.body.file)
        return None
    return rows


def give_back(store: Store, leased: Sequence[Stored], wait: float = 0.0) -> None:
    """End leases of ours whose rows nobody has seen. Those of an index that is gone are counted as lost.

    Args:
        wait: seconds until the rows are due again; 0 where they are due as before.

    Raises:
        sqlite3.Error, OSError, SpoolError: the leases end by themselves; nothing is counted.
    """
    now = store.clock.time()
    with store.index.transaction() as index:
        gone = _gone(store, leased)
        index.executemany(
            "UPDATE batches SET owner = NULL, ready_at = ?, set_at = ?, sent_at = ? "
            "WHERE number = ? AND owner = ?",
            [
                (
                    *((now + wait, now) if wait else (one.ready_at, one.set_at)),
                    *(one.sent_at, one.number, one.owner),
                )
                for one in leased
            ],
        )
    store.losses.add(GONE, gone)


def give_up(store: Store, leased: Sequence[Stored]) -> None:
    """As `give_back`, after a failure: the first could not be read, so the first waits for a while.

    Where no index can be opened, the rows of one that is gone are counted as lost all the same.
    """
    try:
        give_back(store, leased[:1], UNREADABLE_SECONDS)
        leased = leased[1:]
        give_back(store, leased)
    except FAULTS:
        store.losses.add(GONE, _gone(store, leased))


def _gone(store: Store, leased: Sequence[Stored]) -> int:
    """Rows that lay in an index which is gone. Whoever counted its rows left out those that are leased."""
    return sum(one.rows for one in leased if store.has_left(one.owner))


def _postpone(store: Store, batch: Stored, error: OSError) -> None:
    why = f"rows in {store.bodies.folder} cannot be read now ({error.strerror})"
    store.unreadable[batch.number] = why
    if store.notices.is_first(f"unreadable {error.errno}"):
        _logger.warning("otel-arthur: %s; they wait and are tried again", why)
    give_back(store, [batch], UNREADABLE_SECONDS)


def _drop(store: Store, batch: Stored, reason: str) -> None:
    with store.index.transaction() as index:
        statement = "DELETE FROM batches WHERE number = ? AND owner = ?"
        is_lost = index.execute(statement, (batch.number, batch.owner)).rowcount > 0
        if is_lost:
            count(index, batch.destination, batch.kind, Outcome.DROPPED, batch.rows, reason)
        lost = batch.rows if is_lost else _gone(store, [batch])
    store.losses.add(reason, lost)
