"""Spans and annotations that wait under another key, endpoint or task, and where they go now."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from msgspec.structs import replace

from otel_arthur.engine.intake import task_in
from otel_arthur.engine.kinds import Kind
from otel_arthur.engine.requests import addressed
from otel_arthur.spool.destination import Destination
from otel_arthur.spool.queue.duplicate_window import Judge
from otel_arthur.spool.rows import Row
from otel_arthur.target.adoption import Adoption, Here

OF_ANY_KEY: Final = "engine"
"""The organization of each key: all keys of an Engine write to the same tasks, and a row names its task."""


class EngineAdoption(Adoption):
    """Moves rows to the destination of one configuration.

    Args:
        task_id: the configured task; None for the task of each service.
        doubt: seconds after which the Engine has stored whatever it was still storing.
    """

    def __init__(
        self, here: Destination, task_id: str | None, window: float, judge: Judge, doubt: float
    ) -> None:
        models = (here.model,)
        super().__init__(
            Here(here.target, here.endpoint, here.identity, models, OF_ANY_KEY), window, judge, doubt
        )
        self._destination = here
        self._task_id = task_id

    def moved(
        self, source: Destination, kind: int, row: Row, services: Collection[str | None] | None
    ) -> tuple[Destination, Row] | None:
        # An annotation names its trace alone. It leaves the source after the calls that it waits for.
        if kind != Kind.FEEDBACK:
            if services is not None and task_in(row.content)[1] not in services:
                return None
            if source.model != self._destination.model:
                row = replace(row, content=addressed(row.content, self._task_id))
        return self._destination, row
