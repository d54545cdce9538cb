"""Records that wait under a key that is not quite ours, and when they are ours to send after all."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import orjson

from otel_arthur.configuration import Configuration
from otel_arthur.delivery.batches import Batch, NewBatch, Settled
from otel_arthur.delivery.destination import Destination, route
from otel_arthur.delivery.leases import Limits, finish, lease
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
    spool: Spool, configuration: Configuration, identity: str, services: Collection[str | None] | None
) -> int:
    """Move records that were spooled while no model was configured to the model that now is.

    Args:
        services: only records of these services; None for all, when a person says so.

    Returns:
        How many records were moved.
    """
    moved = 0
    if not configuration.model_id and not configuration.routes:
        return 0
    for owner in {identity, ""}:
        orphaned = Destination(configuration.endpoint, owner, "")
        if services is None:
            with spool.index.transaction() as index:
                index.execute("UPDATE batches SET ready_at = 0 WHERE destination = ?", (orphaned.number,))
        settle(spool, orphaned.number, configuration.duplicate_window, at_once=services is None)
        for kind in Kind:
            while batches := lease(spool, orphaned.number, kind, Limits()):
                results = [_moved(spool, configuration, identity, services, batch) for batch in batches]
                moved += sum(result.moved for result in finish(spool, results))
    return moved


def _moved(
    spool: Spool,
    configuration: Configuration,
    identity: str,
    services: Collection[str | None] | None,
    batch: Batch,
) -> Settled:
    result = Settled(batch, wait=_POSTPONED_SECONDS)
    by_model: dict[str, list[bytes]] = {}
    for row in batch.rows:
        by_model.setdefault(_model(row, batch.kind, configuration, services), []).append(row)
    for model, rows in by_model.items():
        target = Destination(configuration.endpoint, identity, model)
        records = [Record(row_id(row), row) for row in rows]
        # Appended there before it is gone here: a kill between the two leaves it in both, under one id.
        if model and not spool.append(target, NewBatch(batch.kind, batch.form, records)).refused:
            result.moved += len(rows)
        else:
            result.waiting += rows
    return result


def _model(
    row: bytes, kind: Kind, configuration: Configuration, services: Collection[str | None] | None
) -> str:
    if kind is Kind.GROUND_TRUTH:
        return configuration.model_id or ""
    values: dict[str, Any] = orjson.loads(row)["inference_data"]
    if services is not None and values.get("service_name") not in services:
        return ""
    return route(configuration, values.get("service_name"), values.get("request_model"))
