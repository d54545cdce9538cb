"""`Service`: the whole collector, from its start over reloads to its end."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from otel_arthur.collector.configuration import CollectorConfiguration, load
from otel_arthur.collector.deliveries import Deliveries
from otel_arthur.collector.document import ConfigurationError
from otel_arthur.collector.forwarding import next_hop
from otel_arthur.collector.intake import Intake
from otel_arthur.collector.operations import OperationsServer, metrics_page, status_page
from otel_arthur.collector.pipeline import Pipeline
from otel_arthur.collector.receivers.admission import Admission
from otel_arthur.collector.receivers.grpc import GRPCReceiver
from otel_arthur.collector.receivers.http import HTTPReceiver
from otel_arthur.collector.replies import Reply
from otel_arthur.collector.request import Request
from otel_arthur.collector.telemetry import Sample, Telemetry

_logger = logging.getLogger(__name__)

_SETTLE_SECONDS = 1.0
_READERS = 4
"""Threads that read requests and write the spool: the one holds the interpreter, the other waits."""


class Service:
    """Runs one collector until SIGTERM or SIGINT; SIGHUP reads the configuration again."""

    def __init__(self, path: Path, configuration: CollectorConfiguration) -> None:
        self._path = path
        self._configuration = configuration
        self._telemetry = Telemetry()
        self._deliveries = Deliveries()
        self._executor = ThreadPoolExecutor(_READERS, thread_name_prefix="otel-arthur-reader")
        self._admission = Admission(configuration.limits.max_in_flight_bytes)
        self._receivers: list[GRPCReceiver | HTTPReceiver] = []
        self._operations: list[OperationsServer] = []
        self._pipeline: Pipeline | None = None
        self._is_ready = False
        self._reloads = asyncio.Lock()

    async def run(self) -> None:
        """Serve until told to stop.

        Raises:
            OSError: an address or the spool cannot be had.
        """
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        tasks: set[asyncio.Task[None]] = set()

        def reload() -> None:
            task = loop.create_task(self._reload())
            tasks.add(task)
            task.add_done_callback(tasks.discard)

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        if hasattr(signal, "SIGHUP"):
            loop.add_signal_handler(signal.SIGHUP, reload)
        try:
            self._pipeline = self._build(self._configuration)
            await self._start_servers()
            self._is_ready = True
            _logger.info("ready")
            tasks.add(loop.create_task(self._settle_regularly()))
            await stop.wait()
        finally:
            for task in tasks:
                task.cancel()
            await self._drain()

    async def export(self, request: Request) -> Reply:
        """Hand a request to the pipeline of the configuration in force."""
        assert self._pipeline is not None
        return await self._pipeline.export(request)

    def _build(self, configuration: CollectorConfiguration) -> Pipeline:
        forward = configuration.forward
        return Pipeline(
            Intake(self._deliveries.use(configuration.routes), configuration.arthur),
            next_hop(forward) if forward is not None else None,
            self._telemetry,
            self._executor,
            max_bytes=configuration.limits.max_request_bytes,
            refuse_when_full=configuration.refuse_when_full,
            stamp=forward is not None and forward.stamp,
        )

    async def _start_receivers(self) -> None:
        configuration = self._configuration
        if configuration.grpc is not None:
            grpc = GRPCReceiver(configuration.grpc, configuration.limits, self._admission, self.export)
            _listening("otlp/grpc", await grpc.start())
            self._receivers.append(grpc)
        if configuration.http is not None:
            http = HTTPReceiver(configuration.http, configuration.limits, self._admission, self.export)
            _listening("otlp/http", await http.start())
            self._receivers.append(http)

    async def _start_operations(self) -> None:
        configuration = self._configuration
        if configuration.health is not None:
            pages = {
                "/healthz": status_page(lambda: True, self._status),
                "/readyz": status_page(lambda: self._is_ready, self._status),
            }
            await self._start_operation("health", OperationsServer(configuration.health, pages))
        if configuration.metrics is not None:
            pages = {"/metrics": metrics_page(self._samples)}
            await self._start_operation("metrics", OperationsServer(configuration.metrics, pages))

    async def _start_operation(self, name: str, server: OperationsServer) -> None:
        _listening(name, await server.start())
        self._operations.append(server)

    async def _reload(self) -> None:
        """Take the file's new content, or keep what runs where it cannot be used."""
        async with self._reloads:
            try:
                configuration = load(self._path)
                pipeline = self._build(configuration)
            except ConfigurationError as error:
                for problem in error.problems:
                    _logger.warning("configuration not reloaded: %s", problem)
                return
            except OSError as error:
                _logger.warning("configuration not reloaded: %s", error)
                return
            before, old_pipeline = self._configuration, self._pipeline
            self._configuration, self._pipeline = configuration, pipeline
            if _listens(before) != _listens(configuration) and not await self._restart_servers(before):
                self._configuration, self._pipeline, old_pipeline = before, old_pipeline, pipeline
            else:
                _logger.info("configuration reloaded")
            # Requests under way hold on to what they began with.
            await self._wait_for_requests(before.drain_seconds)
            if old_pipeline is not None:
                await old_pipeline.close()
            used = self._deliveries.use(self._configuration.routes)
            await self._deliveries.close_unused(used, before.drain_seconds)

    async def _restart_servers(self, before: CollectorConfiguration) -> bool:
        """Move to new addresses; back to the old ones, and False, where the new cannot be had."""
        await self._stop_servers(before.drain_seconds)
        try:
            await self._start_servers()
        except OSError as error:
            _logger.warning("configuration not reloaded: cannot listen as it says (%s)", error)
            await self._stop_servers(0)
            self._configuration = before
            await self._start_servers()
            return False
        return True

    async def _start_servers(self) -> None:
        self._admission.max_bytes = self._configuration.limits.max_in_flight_bytes
        await self._start_operations()
        await self._start_receivers()

    async def _stop_servers(self, seconds: float) -> None:
        receivers, self._receivers = self._receivers, []
        operations, self._operations = self._operations, []
        await asyncio.gather(*(receiver.stop(seconds) for receiver in receivers))
        for server in operations:
            await server.stop()

    async def _settle_regularly(self) -> None:
        while True:
            await asyncio.sleep(_SETTLE_SECONDS)
            try:
                if self._pipeline is not None:
                    await self._pipeline.settle()
            except Exception as error:  # the next round must come whatever happens in this one
                _logger.exception("calls that wait were not looked at", exc_info=error)

    async def _wait_for_requests(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while self._admission.requests and time.monotonic() < deadline:
            await asyncio.sleep(0.05)

    async def _drain(self) -> None:
        """Finish what is under way and send what can be sent in time; the spool keeps the rest."""
        self._is_ready = False
        deadline = time.monotonic() + self._configuration.drain_seconds
        _logger.info("draining", extra={"fields": {"seconds": self._configuration.drain_seconds}})
        receivers, self._receivers = self._receivers, []
        await asyncio.gather(*(receiver.stop(_left(deadline)) for receiver in receivers))
        if self._pipeline is not None:
            await self._pipeline.close()
        done = await self._deliveries.close_unused((), _left(deadline))
        for server in self._operations:
            await server.stop()
        self._executor.shutdown(wait=False, cancel_futures=True)
        _logger.info("stopped", extra={"fields": {"everything_sent": done}})

    def _status(self) -> dict[str, object]:
        return {"ready": self._is_ready, "requests": self._admission.requests}

    def _samples(self) -> Iterator[Sample]:
        yield from self._telemetry.samples()
        yield from self._deliveries.samples()
        yield "otelcol_arthur_in_flight_bytes", (), self._admission.held


def _listens(configuration: CollectorConfiguration) -> tuple[object, ...]:
    return (
        configuration.grpc,
        configuration.http,
        configuration.health,
        configuration.metrics,
        configuration.limits,
    )


def _left(deadline: float) -> float:
    return max(0.1, deadline - time.monotonic())


def _listening(what: str, address: str) -> None:
    _logger.info("listening", extra={"fields": {"server": what, "address": address}})
