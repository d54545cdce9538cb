"""What becomes of certain records, whoever sends them and whatever else waits beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from otel_arthur.spool.batches import NewBatch
from otel_arthur.spool.disk.bodies import unpacked
from otel_arthur.spool.disk.store import Store, listed
from otel_arthur.spool.rows import keys_of


class Waiting(NamedTuple):
    """Rows that no target has taken yet, with what came into the spool together with them."""

    rows: int
    asked: int
    """Of those, rows for which the target gave an answer that is no end, as that it has no such inference."""


class Watch:
    """Follows certain records. Its methods raise as `Spool`'s do."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._keys: set[int] = set()
        self._batches: set[int] = set()
        ((self._last_letter,),) = store.repaired(
            lambda: store.index.read("SELECT ifnull(max(number), 0) FROM dead_letters")
        )

    def add(self, destination: int, batch: NewBatch) -> None:
        """Follow rows that were appended just now, or that the spool knew before."""
        wanted = keys_of(destination, batch.kind, batch.rows)
        self._keys.update(wanted)
        self._batches.update(self._store.ensured(lambda: self._known(wanted)).values())

    def waiting(self) -> Waiting:
        """What is left in the batches in which the records came."""
        statement = (
            "SELECT ifnull(sum(rows), 0), ifnull(sum(rows * (attempts > 0)), 0) FROM batches "
            f"WHERE number IN ({listed(self._batches)})"
        )
        return Waiting(*self._store.repaired(lambda: self._store.index.read(statement))[0])

    def refused(self) -> int:
        """How many of the records became dead letters since they are followed."""
        found = self._store.repaired(
            lambda: self._store.index.read(
                "SELECT destination, kind, row, framing FROM dead_letters WHERE number > ?",
                (self._last_letter,),
            )
        )
        letters = [
            key
            for destination, kind, body, framing in found
            for key in keys_of(destination, kind, unpacked(body, framing, kind))
        ]
        return len(self._keys.intersection(letters))

    def _known(self, wanted: Sequence[int]) -> dict[int, int]:
        with self._store.index.transaction() as index:
            return self._store.keys.known(index, wanted)
