"""Records that wait under another key, and when this process may send them."""

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


def adopt(
    spool: Spool,
    configuration: Configuration,
    identity: str,
    services: Collection[str | None] | None,
    *,
    at_once: bool = True,
) -> int:
    """Move records that wait under a key that nobody serves to the model that is configured now.

    By itself, a process takes over what its own services spooled while no model was configured, and for its
    models while no endpoint could be used. Where a
    person says so, all of that is moved, and with it what waits for the configured models under other
    credentials or organizations that Arthur has never confirmed: those were wrong, and have been corrected.

    Args:
        services: only records of these services; None for all, when a person says so.
        at_once: what the duplicate window holds is moved too.

    Returns:
        How many records were moved.
    """
    if not configuration.endpoint or (not configuration.model_id and not configuration.routes):
        return 0
    owners = (identity, "")
    sources = [Destination(configuration.endpoint, owner, "") for owner in dict.fromkeys(owners)]
    known = [(one, organization) for one, organization in spool.destinations() if not one.target]
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
    return sum(_move(spool, configuration, identity, services, source, at_once) for source in sources)


def reassign(
    spool: Spool, configuration: Configuration, identity: str, sources: Sequence[Destination]
) -> int:
    """Move all that waits for `sources`, whatever they are, to the configured models.

    Returns:
        How many records were moved. What is on its way from another process stays, and what no route takes.
    """
    own = {Destination(configuration.endpoint, identity, model) for model in configuration.models}
    others = [source for source in sources if source not in own]
    return sum(_move(spool, configuration, identity, None, source) for source in others)


def elsewhere(found: Status, configuration: Configuration) -> list[DestinationStatus]:
    """Where something waits that a process of this configuration does not send."""
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


def _move(
    spool: Spool,
    configuration: Configuration,
    identity: str,
    services: Collection[str | None] | None,
    source: Destination,
    at_once: bool = True,
) -> int:
    if services is None:
        spool.release(source.number)
    window = configuration.duplicate_window
    spool.close_window(source.number, window, ArthurJudge(), at_once=at_once)
    return spool.move(source, _Targets(spool, configuration, identity, services, source.model).of)


class _Targets:
    """Where records of one source go."""

    def __init__(
        self,
        spool: Spool,
        configuration: Configuration,
        identity: str,
        services: Collection[str | None] | None,
        model: str,
    ) -> None:
        self._spool = spool
        self._configuration = configuration
        self._identity = identity
        self._services = services
        self._kept = model if model in configuration.models else None

    def of(self, kind: int, row: Row) -> Destination | None:
        """Ours, of the model that a record goes to; None where there is none, and it stays."""
        model = self._model(kind, row)
        return self._destination(model) if model else None

    def _destination(self, model: str) -> Destination:
        return Destination(self._configuration.endpoint, self._identity, model)

    def _model(self, kind: int, row: Row) -> str:
        if kind == Kind.GROUND_TRUTH:
            return self._kept or self._model_of(row.id)
        if self._services is None and self._kept is not None:
            return self._kept
        values: dict[str, Any] = orjson.loads(row.content)["inference_data"]
        if self._services is not None and values.get("service_name") not in self._services:
            return ""
        return self._kept or route(
            self._configuration, values.get("service_name"), values.get("request_model")
        )

    def _model_of(self, inference_id: str) -> str:
        """The model that the inference was moved to, or went to; by default the configured one."""
        models = self._configuration.models
        numbers = {self._destination(model).number: model for model in models}
        found = (
            self._spool.destination_of(list(numbers), inference_id, stem_of(inference_id))
            if len(models) > 1
            else None
        )
        if found is not None:
            return numbers[found]
        return self._configuration.model_id or (models[0] if len(models) == 1 else "")
