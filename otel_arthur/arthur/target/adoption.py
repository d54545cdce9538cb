"""Rows that wait under another key, and when this process may send them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import orjson

from otel_arthur.arthur.target.duplicates import ArthurJudge
from otel_arthur.arthur.target.records import Kind, stem_of
from otel_arthur.arthur.target.routes import identity_of, route
from otel_arthur.configuration import Configuration
from otel_arthur.spool.destination import Destination
from otel_arthur.spool.rows import Row
from otel_arthur.spool.spool import Spool
from otel_arthur.spool.upkeep.status import DestinationStatus, Status


class Adoption:
    """Moves rows to the models of one configuration.

    Args:
        identity: the new identity of the rows (`routes.identity_of`).
    """

    def __init__(self, spool: Spool, configuration: Configuration, identity: str) -> None:
        self._spool = spool
        self._configuration = configuration
        self._identity = identity

    def adopt(self, services: Collection[str | None] | None, *, at_once: bool) -> int:
        """Move rows that wait under a key that nobody serves to the model that is configured now.

        By itself, a process takes over the rows that its own services spooled while no model was configured,
        and the rows for its models while no endpoint could be used. `services=None` moves these rows of all
        services, and the rows of the configured models under other credentials or organizations that Arthur
        has never confirmed: those were wrong, and have been corrected.

        Args:
            services: only rows of these services; None for all, when a person says so.
            at_once: rows in the duplicate window are moved too.

        Returns:
            The number of rows that were moved.
        """
        configuration = self._configuration
        if not configuration.endpoint or (not configuration.model_id and not configuration.routes):
            return 0
        owners = (self._identity, "")
        sources = [Destination(configuration.endpoint, owner, "") for owner in dict.fromkeys(owners)]
        known = [(one, organization) for one, organization in self._spool.destinations() if not one.target]
        sources += [
            one
            for one, _ in known
            if not one.endpoint
            and (one.model in configuration.models or (not one.model and one.identity in owners))
        ]
        if services is None:
            sources += [
                one
                for one, organization in known
                if one.endpoint == configuration.endpoint
                and one.identity not in owners
                and one.model in configuration.models
                and organization is None
            ]
        return sum(self._move(source, services, at_once) for source in sources)

    def reassign(self, sources: Sequence[Destination]) -> int:
        """Move all rows of `sources` to the configured models.

        Returns:
            The number of moved rows. Rows that another process sends stay, and so do rows without a route.
        """
        own = {self.destination(model) for model in self._configuration.models}
        return sum(self._move(source, None, at_once=True) for source in sources if source not in own)

    def destination(self, model: str) -> Destination:
        return Destination(self._configuration.endpoint, self._identity, model)

    def model_of(self, inference_id: str) -> str:
        """The model that an inference went to or waits for; else the configured one, or the only one."""
        models = self._configuration.models
        if len(models) > 1:
            numbers = {self.destination(model).number: model for model in models}
            number = self._spool.destination_of(list(numbers), inference_id, stem_of(inference_id))
            if number is not None:
                return numbers[number]
        return self._configuration.model_id or (models[0] if len(models) == 1 else "")

    def _move(self, source: Destination, services: Collection[str | None] | None, at_once: bool) -> int:
        configuration = self._configuration
        kept = source.model if source.model in configuration.models else ""

        def model_for(kind: int, row: Row) -> str:
            if kind == Kind.GROUND_TRUTH:
                return kept or self.model_of(row.id)
            if services is None and kept:
                return kept
            values: dict[str, Any] = orjson.loads(row.content)["inference_data"]
            service = values.get("service_name")
            if services is not None and service not in services:
                return ""
            return kept or route(configuration, service, values.get("request_model"))

        def destination_of(kind: int, row: Row) -> Destination | None:
            model = model_for(kind, row)
            return self.destination(model) if model else None

        if services is None:
            self._spool.release(source.number)
        window = configuration.duplicate_window
        self._spool.close_window(source.number, window, ArthurJudge(), at_once=at_once)
        return self._spool.move(source, destination_of)


def elsewhere(found: Status, configuration: Configuration) -> list[DestinationStatus]:
    """Destinations with rows that a process of this configuration does not send."""
    identity = identity_of(configuration)
    organizations = {d.organization for d in found.destinations if d.destination.identity == identity}
    organizations = (organizations | {configuration.organization_id}) - {None}

    def is_ours(one: DestinationStatus) -> bool:
        return (
            one.destination.endpoint == configuration.endpoint
            and one.destination.model in configuration.models
            and (one.destination.identity in (identity, "") or one.organization in organizations)
        )

    return [one for one in found.destinations if one.waiting and not is_ours(one)]
