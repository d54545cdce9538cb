"""Dead letters: what a target refused for good, kept with the reason until a person decides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from otel_arthur.spool.batches import NewBatch
from otel_arthur.spool.destination import Destination
from otel_arthur.spool.disk.bodies import inline, unpacked
from otel_arthur.spool.disk.store import Store, count
from otel_arthur.spool.outcomes import Outcome
from otel_arthur.spool.queue.appending import insert
from otel_arthur.spool.rows import Row, keys_of

_AT_ONCE = 256


class Letter(NamedTuple):
    """One dead letter."""

    number: int
    destination: Destination
    kind: int
    form: int
    at: float
    """When it was refused, `time.time`."""
    reason: str
    row: Row

    @property
    def id(self) -> str:
        """The row's name."""
        return self.row.id


def letters(store: Store) -> Iterator[Letter]:
    """All dead letters, oldest first.

    Raises:
        sqlite3.Error: the spool cannot be read.
    """
    last = 0
    while True:
        rows = store.index.read(
            "SELECT l.number, d.endpoint, d.identity, d.model, d.target, l.kind, l.form, l.at, "
            "l.reason, l.row, l.framing FROM dead_letters l JOIN destinations d ON d.number = l.destination "
            "WHERE l.number > ? ORDER BY l.number LIMIT ?",
            (last, _AT_ONCE),
        )
        if not rows:
            return
        for number, *key, kind, form, at, reason, body, framing in rows:
            last = number
            for row in unpacked(body, framing, kind):
                yield Letter(number, Destination(*key), kind, form, at, reason, row)


def resend(store: Store, chosen: Sequence[Letter]) -> int:
    """Put dead letters back to be sent again, in one transaction; returns how many were still there.

    Raises:
        sqlite3.Error: nothing was changed.
    """
    resent = 0
    with store.index.transaction() as index:
        for letter in chosen:
            if not index.execute("DELETE FROM dead_letters WHERE number = ?", (letter.number,)).rowcount:
                continue
            resent += 1
            number = letter.destination.number
            batch = NewBatch(letter.kind, [letter.row], letter.form)
            keys = keys_of(number, letter.kind, batch.rows)
            insert(store, index, letter.destination, batch, inline(batch.rows), keys)
            count(index, number, letter.kind, Outcome.DEAD_LETTER, -1)
    return resent
