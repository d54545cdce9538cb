"""`Service`: the whole collector, from its start over reloads to its end."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Callable, Iterator
from functools import partial

from aiohttp import web

from otel_arthur.collector.configuration.document import ConfigurationError
from otel_arthur.collector.configuration.sections import CollectorConfiguration
from otel_arthur.collector.forwarding import next_hop
from otel_arthur.collector.intake.appending import Lanes
from otel_arthur.collector.intake.deliveries import NO_ROUTES, Deliveries
from otel_arthur.collector.intake.intake import Intake
from otel_arthur.collector.otlp.memory import Hold, Memory, give_back_large_pieces
from otel_arthur.collector.otlp.replies import Reply
from otel_arthur.collector.otlp.request import Request
from otel_arthur.collector.pipeline import Pipeline, Rules
from otel_arthur.collector.receivers.connections import Connections
from otel_arthur.collector.receivers.grpc import GRPCReceiver
from otel_arthur.collector.receivers.http import HTTPReceiver
from otel_arthur.collector.service.operations import OperationsServer, metrics_page, status_page
from otel_arthur.collector.service.servers import Servers, Wanted
from otel_arthur.collector.service.telemetry import Sample, Telemetry

_logger = logging.getLogger(__name__)

_WINDOW_SECONDS = 1.0


class Service:
    """Runs one collector until SIGTERM or SIGINT; SIGHUP reads the configuration again.

    Args:
        load: reads the configuration again; raises `ConfigurationError`.
    """

    RECEIVERS: tuple[str, ...] = ("otlp/grpc", "otlp/http")
    """The servers that take requests, by name."""
    TAKES_EVERYTHING = False
    """Whether every request concerns Arthur, since the sender has looked."""
    ALONE_BYTES = 128 * 1024
    """Of a large piece of memory: more than is read of a connection at once, which takes the quick way."""

    def __init__(
        self, configuration: CollectorConfiguration, load: Callable[[], CollectorConfiguration]
    ) -> None:
        self._configuration = configuration
        self._load = load
        self._stop = asyncio.Event()
        self._telemetry = Telemetry()
        self._deliveries = Deliveries()
        self._lanes = Lanes()
        limits = configuration.limits
        self._memory = Memory(limits.max_in_flight_bytes)
        self._connections = {
            name: Connections(limits.max_connections, self._ended_connection) for name in self.RECEIVERS
        }
        self._servers = Servers()
        self._pipeline: Pipeline | None = None
        self._is_ready = False
        self._reloads = asyncio.Lock()
        self._retired: list[Pipeline] = []
        self._retiring: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Serve until told to stop.

        Raises:
            OSError: an address is not free, or the spool cannot be used.
        """
        give_back_large_pieces(self.ALONE_BYTES)
        loop = asyncio.get_running_loop()
        tasks: set[asyncio.Task[None]] = set()

        def reload() -> None:
            task = loop.create_task(self._reload())
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        if hasattr(signal, "SIGHUP"):
            loop.add_signal_handler(signal.SIGHUP, reload)
        try:
            self._pipeline = self._build(self._configuration)
            await self._servers.change(self._wanted(self._configuration), 0.0)
            self._is_ready = True
            _logger.info("ready")
            tasks.add(loop.create_task(self._close_windows()))
            await self._stop.wait()
        finally:
            for task in tasks:
                task.cancel()
            await self._drain()
            # A second signal comes too late to change anything.
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)
                signal.signal(number, signal.SIG_IGN)

    def stop(self) -> None:
        """End in order, as SIGTERM does. Only for the event loop's thread."""
        self._stop.set()

    async def export(self, request: Request, hold: Hold) -> Reply:
        """Hand a request to the pipeline of the configuration in force."""
        assert self._pipeline is not None
        return await self._pipeline.export(request, hold)

    def _build(self, configuration: CollectorConfiguration) -> Pipeline:
        forward = configuration.forward
        limits = configuration.limits
        intake = Intake(self._deliveries.use(configuration), configuration.arthur)
        return Pipeline(
            intake,
            next_hop(forward) if forward is not None else None,
            self._telemetry,
            self._lanes,
            Rules(
                limits.max_request_bytes,
                limits.max_items,
                refuse=configuration.refuse_when_full,
                stamp=forward is not None and forward.stamp,
                takes_everything=self.TAKES_EVERYTHING or intake.wants_around,
            ),
        )

    def _wanted(self, configuration: CollectorConfiguration) -> dict[str, Wanted]:
        wanted: dict[str, Wanted] = {}
        health, metrics = configuration.health, configuration.metrics
        if health is not None:
            wanted["health"] = Wanted(health, lambda: OperationsServer(health, self.status_pages()))
        if metrics is not None:
            page = {"/metrics": lambda: metrics_page(self.samples())}
            wanted["metrics"] = Wanted(metrics, lambda: OperationsServer(metrics, page))
        return {**wanted, **self.receivers(configuration)}

    def receivers(self, configuration: CollectorConfiguration) -> dict[str, Wanted]:
        """The servers that take requests, by their names in `RECEIVERS`."""
        limits = configuration.limits
        wanted: dict[str, Wanted] = {}
        for name, kind, receiver in (
            ("otlp/grpc", GRPCReceiver, configuration.grpc),
            ("otlp/http", HTTPReceiver, configuration.http),
        ):
            if receiver is not None:
                connections = self._connections[name]
                make = partial(kind, receiver, limits, self._memory, connections, self.export)
                wanted[name] = Wanted((receiver, limits), make)
        return wanted

    async def _reload(self) -> None:
        """Take the file's new content, or keep the old one where the new one cannot be used."""
        async with self._reloads:
            before, old = self._configuration, self._pipeline
            try:
                configuration = self._load()
                pipeline = self._build(configuration)
            except ConfigurationError as error:
                for problem in error.problems:
                    _logger.warning("configuration not reloaded: %s", problem)
                return
            except OSError as error:
                _logger.warning("configuration not reloaded: %s", error)
                return
            self._use(configuration, pipeline)
            try:
                await self._servers.change(self._wanted(configuration), before.drain_seconds)
            except OSError as error:
                _logger.warning("configuration not reloaded: cannot listen at a new address (%s)", error)
                assert old is not None
                self._use(before, old)
                old = pipeline
            else:
                _logger.info("configuration reloaded")
            assert old is not None
            self._retired.append(old)
            task = asyncio.create_task(self._retire(old, before.drain_seconds))
            self._retiring.add(task)
            task.add_done_callback(self._retiring.discard)

    async def _retire(self, old: Pipeline, seconds: float) -> None:
        """End a pipeline after the requests that began with it. Reloads go on meanwhile."""
        await self._wait_for_requests(seconds)
        if self._stop.is_set():
            return  # draining ends it
        await old.close()
        self._retired.remove(old)
        async with self._reloads:
            used = self._deliveries.use(self._configuration)
            unused = [] if self._retired else self._deliveries.take_unused(used)
        await self._deliveries.close(unused, seconds)

    def _use(self, configuration: CollectorConfiguration, pipeline: Pipeline) -> None:
        self._configuration, self._pipeline = configuration, pipeline
        self._memory.max_bytes = configuration.limits.max_in_flight_bytes
        for connections in self._connections.values():
            connections.limit = configuration.limits.max_connections

    async def _close_windows(self) -> None:
        while True:
            await asyncio.sleep(_WINDOW_SECONDS)
            try:
                if self._pipeline is not None:
                    await self._pipeline.close_window()
            except Exception as error:  # the next round must come whatever happens in this one
                _logger.exception("waiting calls were not decided about", exc_info=error)

    async def _wait_for_requests(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while self._memory.requests and not self._stop.is_set() and time.monotonic() < deadline:
            await asyncio.sleep(0.05)

    async def _drain(self) -> None:
        """Finish requests under way and send as much as the time allows; the spool keeps the rest."""
        self._is_ready = False
        deadline = time.monotonic() + self._configuration.drain_seconds
        _logger.info("draining", extra={"fields": {"seconds": self._configuration.drain_seconds}})
        await self._servers.stop(*self.RECEIVERS, seconds=_left(deadline))
        for pipeline in (*self._retired, self._pipeline):
            if pipeline is not None:
                await pipeline.close(_left(deadline))
        done = await self._deliveries.close(self._deliveries.take_unused(NO_ROUTES), _left(deadline))
        if self._retiring:
            await asyncio.wait(self._retiring, timeout=_left(deadline))
        await self._servers.stop(*self._servers.names, seconds=1.0)
        self._lanes.close()
        _logger.info("stopped", extra={"fields": {"everything_sent": done}})

    def status_pages(self) -> dict[str, Callable[[], web.Response]]:
        """``/healthz``: the process lives. ``/readyz``: it takes requests, and the disk takes their calls."""
        return {
            "/healthz": lambda: status_page(True, self._status()),
            "/readyz": lambda: status_page(self._takes_calls(), self._status()),
        }

    def _ended_connection(self, reason: str) -> None:
        self._telemetry.add("otelcol_arthur_connections_ended", reason=reason)

    def _status(self) -> dict[str, object]:
        trouble = self._deliveries.trouble()
        details = {"trouble": trouble} if trouble else {}
        return {"ready": self._takes_calls(), "requests": self._memory.requests, **details}

    def _takes_calls(self) -> bool:
        return self._is_ready and not self._deliveries.trouble()

    def samples(self) -> Iterator[Sample]:
        yield from self._telemetry.samples()
        yield from self._deliveries.samples()
        yield "otelcol_arthur_in_flight_bytes", (), self._memory.held


def _left(deadline: float) -> float:
    return max(0.1, deadline - time.monotonic())
