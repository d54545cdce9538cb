"""`Deliveries`: one delivery for each account that routes lead to, kept across reloads."""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

from otel_arthur.collector.configuration.arthur_sections import ModelRoute, TaskRoute
from otel_arthur.collector.configuration.sections import CollectorConfiguration
from otel_arthur.collector.service.telemetry import Sample
from otel_arthur.configuration import Configuration, Route
from otel_arthur.delivery import Delivery
from otel_arthur.spool.errors import SpoolError
from otel_arthur.spool.folder import absolute, settled


@dataclass(frozen=True, slots=True, eq=False)
class OpenRoute:
    """A route whose destination is open: calls that match go to this model by this delivery."""

    match: tuple[tuple[str, str], ...]
    model_id: str | None
    """None for a task of the Engine: the Engine has its own delivery."""
    delivery: Delivery


class OpenRoutes(NamedTuple):
    """The routes of a configuration: of each list, the first route that matches takes a call."""

    models: tuple[OpenRoute, ...]
    tasks: tuple[OpenRoute, ...]
    """Routes to tasks of the Engine."""


NO_ROUTES = OpenRoutes((), ())


class Deliveries:
    """Opens and closes deliveries as configurations come and go."""

    def __init__(self) -> None:
        self._open: list[tuple[Configuration, Delivery]] = []

    def use(self, configuration: CollectorConfiguration) -> OpenRoutes:
        """An open route for each route, in order. Deliveries that are open already are kept.

        Raises:
            OSError: the spool's folder cannot be written.
        """
        routes, engine = configuration.routes, configuration.arthur.engine
        models = tuple(
            OpenRoute(route.match, route.model_id, self._opened(_for_models(route, routes)))
            for route in routes
        )
        if engine is None:
            return OpenRoutes(models, NO_ROUTES.tasks)
        alone = replace(configuration.arthur, is_v3_target=False, routes=(), model_id=None)
        tasks: list[OpenRoute] = []
        for task in (*configuration.tasks, TaskRoute((), engine.task_id)):
            own = replace(alone, engine=replace(engine, task_id=task.task_id))
            tasks.append(OpenRoute(task.match, None, self._opened(own)))
        return OpenRoutes(models, tuple(tasks))

    def _opened(self, configuration: Configuration) -> Delivery:
        for opened, delivery in self._open:
            if opened == configuration:
                return delivery
        _check_folder(configuration.spool_dir)
        delivery = Delivery(configuration)
        delivery.start()
        self._open.append((configuration, delivery))
        return delivery

    def take_unused(self, used: OpenRoutes) -> list[Delivery]:
        """Deliveries that no route in `used` has; the caller must `close` them."""
        kept = {target.delivery for target in (*used.models, *used.tasks)}
        unused = [delivery for _, delivery in self._open if delivery not in kept]
        self._open = [(opened, delivery) for opened, delivery in self._open if delivery in kept]
        return unused

    async def close(self, closing: Sequence[Delivery], seconds: float) -> bool:
        """Shut deliveries down, all at once; returns whether they sent everything."""
        if not closing:
            return True
        with ThreadPoolExecutor(len(closing)) as executor:
            loop = asyncio.get_running_loop()
            done = await asyncio.gather(
                *(loop.run_in_executor(executor, delivery.shutdown, seconds) for delivery in closing)
            )
        return all(done)

    def trouble(self) -> str:
        """Why the disk does not take calls; empty while it does."""
        return next((why for _, delivery in self._open if (why := delivery.trouble)), "")

    def samples(self) -> Iterator[Sample]:
        """The outcomes of inferences, under the Collector's names for an exporter."""
        labels = (("exporter", "arthur"),)
        counts = [delivery.counts() for _, delivery in self._open]
        capacity = max((opened.spool_max_bytes for opened, _ in self._open), default=0)
        yield "otelcol_exporter_sent_spans", labels, sum(count.sent for count in counts)
        yield "otelcol_exporter_send_failed_spans", labels, sum(count.dead_letter for count in counts)
        yield "otelcol_exporter_queue_size", labels, sum(count.left for count in counts)
        yield "otelcol_exporter_queue_capacity", labels, capacity
        yield "otelcol_arthur_duplicates", (), sum(count.duplicate for count in counts)
        skipped: Counter[str] = Counter()
        for count in counts:
            skipped.update(count.skipped)
        for reason, number in sorted(skipped.items()):
            yield "otelcol_arthur_spans_skipped", (("reason", reason),), number


def _for_models(route: ModelRoute, routes: Sequence[ModelRoute]) -> Configuration:
    """A delivery sends the rows of models that it knows, so it gets all models of its account."""
    models = {other.model_id for other in routes if other.destination == route.destination}
    return replace(
        route.destination, engine=None, routes=tuple(Route("*", model) for model in sorted(models))
    )


def _check_folder(folder: Path | None) -> None:
    """Raise OSError for a folder that cannot hold the spool: acknowledged calls must be on disk."""
    if folder is None:
        return
    try:
        with tempfile.TemporaryFile(dir=settled(absolute(folder)).folder):
            pass
    except SpoolError as error:
        raise OSError(f"the spool's folder cannot be used: {error}") from None
    except OSError as error:
        raise OSError(f"the spool's folder {folder} cannot be written ({error.strerror or error})") from None
