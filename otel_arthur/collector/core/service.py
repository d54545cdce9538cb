"""`Core`: the collector's service, with one receiver of its own kind."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

import orjson
from aiohttp import web

from otel_arthur.collector.configuration.sections import CollectorConfiguration
from otel_arthur.collector.core.listening import Place
from otel_arthur.collector.core.parent import Parent
from otel_arthur.collector.core.receiver import CoreReceiver
from otel_arthur.collector.service.servers import Wanted
from otel_arthur.collector.service.service import Service

_logger = logging.getLogger(__name__)

_CORE = "core"
_GRACE_SECONDS = 10.0
"""Seconds after draining, until a core without a parent ends at once."""


class Core(Service):
    """Runs one core until SIGTERM, SIGINT, or the end of its parent.

    Args:
        place: where it listens.
        parent: the processor that started it; None where it runs beside the Collector.
    """

    RECEIVERS = (_CORE,)
    TAKES_EVERYTHING = True
    # A group of exports and its rows take memory that is there; few of them are under way.
    ALONE_BYTES = 2 * 1024 * 1024

    def __init__(
        self,
        configuration: CollectorConfiguration,
        load: Callable[[], CollectorConfiguration],
        place: Place,
        parent: Parent | None = None,
    ) -> None:
        super().__init__(configuration, load)
        self._place = place
        self._parent = parent

    async def run(self) -> None:
        if self._parent is not None:
            self._parent.watch(self._orphaned(), self._configuration.drain_seconds + _GRACE_SECONDS)
        await super().run()

    def receivers(self, configuration: CollectorConfiguration) -> dict[str, Wanted]:
        limits = configuration.limits
        pages = {**self.status_pages(), "/counters": self._counters}
        connections = self._connections[_CORE]
        return {
            _CORE: Wanted(
                (self._place, limits),
                lambda: CoreReceiver(self._place, limits, self._memory, connections, self.export, pages),
            )
        }

    def _orphaned(self) -> Callable[[], None]:
        loop = asyncio.get_running_loop()

        def ended() -> None:
            _logger.warning("the Collector has ended: draining")
            with contextlib.suppress(RuntimeError):  # the loop is closed: this process is at its end
                loop.call_soon_threadsafe(self.stop)

        return ended

    def _counters(self) -> web.Response:
        """Every series; the processor shows them as the Collector's own metrics."""
        rows = [
            {"name": name, "labels": dict(labels), "value": value} for name, labels, value in self.samples()
        ]
        return web.Response(body=orjson.dumps(rows), content_type="application/json")
