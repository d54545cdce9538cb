"""Answers about the spool in memory and the spool on disk together, as far as each can be read."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

from otel_arthur.spool.destination import Destination
from otel_arthur.spool.spool import Spool

_T = TypeVar("_T")


class Both(Spool):
    """The methods of `BackedSpool` that only read: what `Spool` says of each, as far as can be read now."""

    @abstractmethod
    def _look(self, ask: Callable[[Spool], _T]) -> list[_T]:
        """The answers of memory and disk, memory's first; a disk without an answer is left out. A batch
        that moves from memory to disk is in one of the two only.

        A look is short. A disk that takes longer hangs, and the caller may be the application.
        """

    def destination_of(self, destinations: Sequence[int], identity: str, stem: int) -> int | None:
        found = self._look(lambda one: one.destination_of(destinations, identity, stem))
        return next((one for one in found if one is not None), None)

    def destinations(self) -> list[tuple[Destination, str | None]]:
        """All destinations ever seen."""
        return [d for found in self._look(lambda one: one.destinations()) for d in found]

    def waiting(self, destinations: Collection[int], kind: int | None = None) -> int:
        return sum(self._look(lambda one: one.waiting(destinations, kind)))

    def occupied(
        self, destinations: Collection[int], up_to: int | None = None, kind: int | None = None
    ) -> set[int]:
        # Batches in memory have numbers of their own.
        found = self._look(lambda one: one.occupied(destinations, up_to if one.folder else None, kind))
        return set[int]().union(*found)

    def left(
        self, destinations: Collection[int], numbers: Collection[int] = ()
    ) -> dict[tuple[int, int], int]:
        total: Counter[tuple[int, int]] = Counter()
        for found in self._look(lambda one: one.left(destinations, numbers)):
            total.update(found)
        return dict(total)

    def last_number(self) -> int:
        """The number of the newest batch on disk."""
        return max(self._look(lambda one: one.last_number()), default=0)

    def bytes_used(self) -> int:
        return sum(self._look(lambda one: one.bytes_used()))

    def next_due(
        self, destinations: Collection[int], in_order: Collection[tuple[int, int]] = ()
    ) -> float | None:
        found = self._look(lambda one: one.next_due(destinations, in_order))
        return min((seconds for seconds in found if seconds is not None), default=None)

    def can_be_tried(self, destinations: Collection[int], seconds: float) -> bool:
        return any(self._look(lambda one: one.can_be_tried(destinations, seconds)))
