"""Records that wait under a key that is not quite ours, and when they are ours to send after all."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import orjson

from otel_arthur.configuration import Configuration
from otel_arthur.delivery.batches import Batch, NewBatch, Settled
from otel_arthur.delivery.destination import Destination, route
from otel_arthur.delivery.ground_truth import destination_of
from otel_arthur.delivery.leases import Limits, finish, lease, note_error
from otel_arthur.delivery.records import Kind, Record, row_id
from otel_arthur.delivery.settlement import settle
from otel_arthur.delivery.spool import Spool

_POSTPONED_SECONDS = 60.0


def siblings(spool: Spool, destination: Destination, organization: str) -> list[Destination]:
    """The destinations of the same model and organization under other credentials: a key was renewed.

    Remembers the organization of `destination`, which Arthur has named.
    """
    with spool.index.transaction() as index:
        index.execute(
            "UPDATE destinations SET organization = ? WHERE number = ?", (organization, destination.number)
        )
        rows = index.execute(
            "SELECT endpoint, identity, model FROM destinations WHERE endpoint = ? AND model = ? "
            "AND (organization = ? OR identity = ?)",
            (destination.endpoint, destination.model, organization, f"org:{organization}"),
        ).fetchall()
    return [Destination(*row) for row in rows]


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
    sources += [
        source
        for source in _at(spool, "")
        if source.model in configuration.models or (not source.model and source.identity in owners)
    ]
    if services is None:
        sources += _unconfirmed(spool, configuration, identity)
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


def _at(spool: Spool, endpoint: str) -> list[Destination]:
    rows = spool.index.read(
        "SELECT endpoint, identity, model FROM destinations WHERE endpoint = ?", (endpoint,)
    )
    return [Destination(*row) for row in rows]


def _unconfirmed(spool: Spool, configuration: Configuration, identity: str) -> list[Destination]:
    rows = spool.index.read(
        "SELECT endpoint, identity, model FROM destinations WHERE endpoint = ? AND identity NOT IN (?, '') "
        "AND organization IS NULL",
        (configuration.endpoint, identity),
    )
    return [Destination(*row) for row in rows if row[2] in configuration.models]


def _move(
    spool: Spool,
    configuration: Configuration,
    identity: str,
    services: Collection[str | None] | None,
    source: Destination,
    at_once: bool = True,
) -> int:
    moved = 0
    if services is None:
        with spool.index.transaction() as index:
            index.execute("UPDATE batches SET ready_at = 0 WHERE destination = ?", (source.number,))
    settle(spool, source.number, configuration.duplicate_window, at_once=at_once)
    target = _Target(spool, configuration, identity, services, source.model)
    for kind in Kind:
        while batches := lease(spool, source.number, kind, Limits()):
            results = [_moved(target, batch) for batch in batches]
            moved += sum(result.moved for result in finish(spool, results))
    if moved:
        note_error(spool, source.number, None)
    return moved


class _Target:
    """Where records of one source go."""

    def __init__(
        self,
        spool: Spool,
        configuration: Configuration,
        identity: str,
        services: Collection[str | None] | None,
        model: str,
    ) -> None:
        self.spool = spool
        self._configuration = configuration
        self._identity = identity
        self._services = services
        self._kept = model if model in configuration.models else None

    def destination(self, model: str) -> Destination:
        """Ours, of this model."""
        return Destination(self._configuration.endpoint, self._identity, model)

    def model(self, row: bytes, kind: Kind) -> str:
        """The model that a record goes to; empty where there is none, and it stays."""
        if kind is Kind.GROUND_TRUTH:
            return self._kept or self._model_of(row_id(row))
        if self._services is None and self._kept is not None:
            return self._kept
        values: dict[str, Any] = orjson.loads(row)["inference_data"]
        if self._services is not None and values.get("service_name") not in self._services:
            return ""
        return self._kept or route(
            self._configuration, values.get("service_name"), values.get("request_model")
        )

    def _model_of(self, inference_id: str) -> str:
        """The model that the inference was moved to, or went to; by default the configured one."""
        models = self._configuration.models
        numbers = {self.destination(model).number: model for model in models}
        found = destination_of(self.spool, list(numbers), inference_id) if len(models) > 1 else None
        if found is not None:
            return numbers[found]
        return self._configuration.model_id or (models[0] if len(models) == 1 else "")


def _moved(target: _Target, batch: Batch) -> Settled:
    result = Settled(batch, wait=_POSTPONED_SECONDS)
    by_model: dict[str, list[bytes]] = {}
    for row in batch.rows:
        by_model.setdefault(target.model(row, batch.kind), []).append(row)
    for model, rows in by_model.items():
        records = [Record(row_id(row), row) for row in rows]
        append = NewBatch(batch.kind, batch.form, records)
        # Appended there before it is gone here: a kill between the two leaves it in both, under one id.
        if model and not target.spool.append(target.destination(model), append).refused:
            result.moved += len(rows)
        else:
            result.waiting += rows
    return result
