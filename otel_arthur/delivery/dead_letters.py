"""Dead letters: what Arthur refused for good, kept with the reason until a person decides."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import orjson

from otel_arthur.delivery import keys
from otel_arthur.delivery.bodies import inline
from otel_arthur.delivery.destination import Destination
from otel_arthur.delivery.records import Form, Kind, Record, key_of, pack_keys
from otel_arthur.delivery.spool import Spool, add

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


def letters(spool: Spool) -> Iterator[Letter]:
    """All dead letters, oldest first.

    Raises:
        sqlite3.Error: the spool cannot be read.
    """
    last = 0
    while True:
        rows = spool.index.read(
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


def resend(spool: Spool, chosen: Sequence[Letter]) -> int:
    """Put dead letters back to be sent again, in one transaction; returns how many were still there.

    Raises:
        sqlite3.Error: nothing was changed.
    """
    count = 0
    with spool.index.transaction() as index:
        for letter in chosen:
            removed = index.execute("DELETE FROM dead_letters WHERE number = ?", (letter.number,)).rowcount
            if not removed:
                continue
            count += 1
            number = letter.destination.number
            key = key_of(number, letter.kind, Record(letter.id, letter.row))
            body = inline([letter.row])
            batch = index.execute(
                "INSERT INTO batches (destination, kind, form, rows, bytes, checksum, created, held, "
                "ready_at, body, keys) VALUES (?, ?, ?, 1, ?, ?, ?, 0, 0, ?, ?)",
                (
                    number,
                    int(letter.kind),
                    int(letter.form),
                    body.size,
                    body.checksum,
                    time.time(),
                    body.inline,
                    pack_keys([key]),
                ),
            ).lastrowid
            assert batch is not None
            keys.add(index, [key], batch)
            add(index, number, letter.kind, "dead_letter", -1)
    return count
