"""Reading the rows of a leased batch: what cannot be read now is not damaged, and waits."""

from __future__ import annotations

import logging
from typing import Final, Protocol

from otel_arthur.spool.disk.bodies import Body
from otel_arthur.spool.disk.losses import DAMAGED, GONE
from otel_arthur.spool.disk.store import Store, count
from otel_arthur.spool.rows import Rows

_logger = logging.getLogger("otel_arthur")

UNREADABLE_SECONDS: Final = 10.0
"""Between tries of rows that cannot be read now."""
GONE_SECONDS: Final = 3600.0
"""Seconds for which a process looks for a missing file: somebody may have moved it, and may bring it back."""


class InIndex(Protocol):
    """A batch as the index has it."""

    @property
    def number(self) -> int: ...
    @property
    def rows(self) -> int: ...
    @property
    def body(self) -> Body: ...


def rows_of(store: Store, destination: int, kind: int, batch: InIndex) -> Rows | None:
    """The rows of a batch that is leased to us; None where they are damaged, or cannot be read now."""
    try:
        rows = store.bodies.rows(batch.body, kind)
    except OSError as error:
        if isinstance(error, FileNotFoundError) and store.gone_for(batch.number) > GONE_SECONDS:
            store.unreadable.pop(batch.number, None)
            _drop(store, destination, kind, batch, GONE)
        else:
            _postpone(store, batch.number, error)
        return None
    store.unreadable.pop(batch.number, None)
    if rows is None or len(rows) != batch.rows:
        _drop(store, destination, kind, batch, DAMAGED)
        store.bodies.keep_aside(batch.body.file)
        return None
    return rows


def _postpone(store: Store, number: int, error: OSError) -> None:
    why = f"rows in {store.bodies.folder} cannot be read now ({error.strerror})"
    store.unreadable[number] = why
    if store.notices.is_first(f"unreadable {error.errno}"):
        _logger.warning("otel-arthur: %s; they wait and are tried again", why)
    now = store.clock.time()
    with store.index.transaction() as index:
        index.execute(
            "UPDATE batches SET owner = NULL, ready_at = ?, set_at = ? WHERE number = ? AND owner = ?",
            (now + UNREADABLE_SECONDS, now, number, store.owner.name),
        )


def _drop(store: Store, destination: int, kind: int, batch: InIndex, reason: str) -> None:
    with store.index.transaction() as index:
        statement = "DELETE FROM batches WHERE number = ? AND owner = ?"
        is_ours = index.execute(statement, (batch.number, store.owner.name)).rowcount > 0
        if is_ours:
            count(index, destination, kind, "dropped", batch.rows, reason)
    if is_ours:
        store.losses.add(reason, batch.rows)
