"""Rows of one target that wait under another key or endpoint, and when this process may send them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import replace
from typing import NamedTuple

from otel_arthur.spool.destination import Destination
from otel_arthur.spool.queue.duplicate_window import Judge
from otel_arthur.spool.rows import Row
from otel_arthur.spool.spool import Spool
from otel_arthur.target.contract import Claim


class Here(NamedTuple):
    """Where rows of one target go under one configuration."""

    target: str
    endpoint: str
    identity: str
    models: Collection[str]
    organization: str | None
    """The organization of the identity; None where only an answer can tell."""

    def destination(self, model: str) -> Destination:
        return Destination(self.endpoint, self.identity, model, self.target)


class Adoption(ABC):
    """Moves rows to where they go now. Rows of other targets are never touched.

    Args:
        window: seconds of the duplicate window.
        judge: decides about duplicates before rows are moved.
        doubt: seconds that rows wait once more that were presented, and whose answer was lost.
    """

    def __init__(self, here: Here, window: float, judge: Judge, doubt: float = 0.0) -> None:
        self.here = here
        self._window = window
        self._judge = judge
        self._doubt = doubt

    def adopt(self, spool: Spool, claim: Claim) -> int:
        """Move rows that wait under a key that nobody serves to the model that is configured now.

        By itself, a process takes over the rows that its own services spooled while no model was configured,
        and the rows for its models while no endpoint could be used. A claim for all services moves these rows
        of all services, and the rows of the configured models under other credentials, unless these are known
        to be another organization's: those were wrong, and have been corrected.

        Returns:
            The number of moved rows. Rows that another process sends stay, and so do rows without a route.
        """
        here = self.here
        if not here.endpoint or not here.models:
            return 0
        known = [
            (one, organization) for one, organization in spool.destinations() if one.target == here.target
        ]
        ours = {
            organization
            for one, organization in known
            if (one.endpoint, one.identity) == (here.endpoint, here.identity)
        }
        ours |= {here.organization, None}
        sources = [
            one
            for one, organization in known
            if one.model in claim.places
            or self._was_incomplete(one)
            or (claim.services is None and self._was_corrected(one) and organization in ours)
        ]
        own = {here.destination(model) for model in here.models}
        return sum(self._move(spool, one, claim) for one in dict.fromkeys(sources) if one not in own)

    @abstractmethod
    def moved(
        self, source: Destination, kind: int, row: Row, services: Collection[str | None] | None
    ) -> tuple[Destination, Row] | None:
        """Where a row of `source` goes, and the row as it is written for that place; None where it stays."""

    def _was_incomplete(self, one: Destination) -> bool:
        """Rows of now would wait there, had the process no model or no usable endpoint."""
        if one.model:
            return not one.endpoint and one.model in self.here.models
        return one.endpoint in ("", self.here.endpoint) and one.identity in ("", self.here.identity)

    def _was_corrected(self, one: Destination) -> bool:
        """The same place under other credentials. What waits without credentials is sent from there."""
        return bool(one.identity) and replace(one, identity=self.here.identity) in map(
            self.here.destination, self.here.models
        )

    def _move(self, spool: Spool, source: Destination, claim: Claim) -> int:
        services = claim.services
        if services is None:
            spool.release(source.number)
        spool.close_window(source.number, self._window, self._judge, at_once=claim.at_once)
        return spool.move(source, lambda kind, row: self.moved(source, kind, row, services), self._doubt)
