"""Dead letters: what Arthur refused for good, kept with the reason until a person decides."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import orjson

from otel_arthur.spool.appending import insert
from otel_arthur.spool.batches import NewBatch
from otel_arthur.spool.bodies import inline
from otel_arthur.spool.destination import Destination
from otel_arthur.spool.records import Form, Kind, Record, key_of
from otel_arthur.spool.store import Store, count

_AT_ONCE = 256


class Letter(NamedTuple):
    """One dead letter."""

    number: int
    destination: Destination
    kind: Kind
    form: Form
    id: str
    """The ``partner_inference_id``."""
    at: float
    """When it was refused, `time.time`."""
    reason: str
    row: bytes

    def as_json(self) -> dict[str, Any]:
        """Everything, for an export."""
        return {
            "number": self.number,
            "partner_inference_id": self.id,
            "kind": self.kind.name.lower(),
            "model": self.destination.model,
            "endpoint": self.destination.endpoint,
            "refused_at": self.at,
            "reason": self.reason,
            "row": orjson.loads(self.row),
        }


def letters(store: Store) -> Iterator[Letter]:
    """All dead letters, oldest first.

    Raises:
        sqlite3.Error: the spool cannot be read.
    """
    last = 0
    while True:
        rows = store.index.read(
            "SELECT l.number, d.endpoint, d.identity, d.model, l.kind, l.form, l.id, l.at, l.reason, l.row "
            "FROM dead_letters l JOIN destinations d ON d.number = l.destination "
            "WHERE l.number > ? ORDER BY l.number LIMIT ?",
            (last, _AT_ONCE),
        )
        if not rows:
            return
        for number, endpoint, identity, model, kind, form, *rest in rows:
            yield Letter(number, Destination(endpoint, identity, model), Kind(kind), Form(form), *rest)
            last = number


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
            record = Record(letter.id, letter.row)
            key = key_of(letter.destination.number, letter.kind, record)
            batch = NewBatch(letter.kind, letter.form, [record])
            insert(index, letter.destination, batch, inline([letter.row]), [key])
            count(index, letter.destination.number, letter.kind, "dead_letter", -1)
    return resent
