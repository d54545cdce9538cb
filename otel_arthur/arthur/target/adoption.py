"""Inferences and ground truth that wait under another key, and the model that each goes to now."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import orjson

from otel_arthur.arthur.target.duplicates import ArthurJudge
from otel_arthur.arthur.target.records import Kind, stem_of
from otel_arthur.arthur.target.routes import route
from otel_arthur.configuration import Configuration
from otel_arthur.spool.destination import Destination
from otel_arthur.spool.rows import Row
from otel_arthur.spool.spool import Spool
from otel_arthur.target.adoption import Adoption, Here


class ArthurAdoption(Adoption):
    """Moves rows to the models of one configuration.

    Args:
        identity: the new identity of the rows (`routes.identity_of`).
    """

    def __init__(self, spool: Spool, configuration: Configuration, identity: str) -> None:
        organization = configuration.organization_id
        here = Here("", configuration.endpoint, identity, configuration.models, organization)
        super().__init__(here, configuration.duplicate_window, ArthurJudge())
        self._spool = spool
        self._configuration = configuration

    def model_of(self, inference_id: str) -> str:
        """The model that an inference went to or waits for; else the configured one, or the only one."""
        models = self._configuration.models
        if len(models) > 1:
            numbers = {self.here.destination(model).number: model for model in models}
            number = self._spool.destination_of(list(numbers), inference_id, stem_of(inference_id))
            if number is not None:
                return numbers[number]
        return self._configuration.model_id or (models[0] if len(models) == 1 else "")

    def moved(
        self, source: Destination, kind: int, row: Row, services: Collection[str | None] | None
    ) -> tuple[Destination, Row] | None:
        model = self._model_for(source, kind, row, services)
        return (self.here.destination(model), row) if model else None

    def _model_for(
        self, source: Destination, kind: int, row: Row, services: Collection[str | None] | None
    ) -> str:
        kept = source.model if source.model in self._configuration.models else ""
        if kind == Kind.GROUND_TRUTH:
            return kept or self.model_of(row.id)
        if services is None and kept:
            return kept
        values: dict[str, Any] = orjson.loads(row.content)["inference_data"]
        service = values.get("service_name")
        if services is not None and service not in services:
            return ""
        return kept or route(self._configuration, service, values.get("request_model"))
