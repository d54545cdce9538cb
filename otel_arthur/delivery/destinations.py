"""The destinations that this process sends from, each with its target and its pace."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple

from otel_arthur.delivery.retry import Pacer
from otel_arthur.spool.destination import Destination
from otel_arthur.target.contract import Target


class Served(NamedTuple):
    """How one destination is served."""

    target: Target
    pacer: Pacer


class Destinations:
    """Grows as destinations come to be known. Safe to use from several threads."""

    def __init__(self) -> None:
        self._served: Mapping[Destination, Served] = {}

    def serve(self, target: Target, *destinations: Destination) -> None:
        """Send from these too."""
        new = {one: Served(target, Pacer()) for one in destinations if one not in self._served}
        if new:
            self._served = {**self._served, **new}

    @property
    def served(self) -> Mapping[Destination, Served]:
        """All of them, as they are now."""
        return self._served

    def of_target(self, target: Target) -> list[Destination]:
        """Those of one target."""
        return [destination for destination, one in self._served.items() if one.target is target]

    def of_calls(self) -> Mapping[int, list[int]]:
        """Kind of the rows that calls become -> numbers of the destinations that have it."""
        found: dict[int, list[int]] = {}
        for destination, one in self._served.items():
            for kind in one.target.of_calls:
                found.setdefault(kind, []).append(destination.number)
        return found

    @property
    def in_order(self) -> Collection[tuple[int, int]]:
        """Those with the kinds of their rows that have one sender at a time."""
        return [
            (destination.number, kind)
            for destination, one in self._served.items()
            for kind, terms in one.target.kinds.items()
            if terms.in_order
        ]

    @property
    def numbers(self) -> list[int]:
        """Their numbers in the spool."""
        return [destination.number for destination in self._served]
