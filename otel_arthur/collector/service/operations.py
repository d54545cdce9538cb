"""Pages for operators' tools: ``/healthz``, ``/readyz`` and ``/metrics``."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Final

import orjson
from aiohttp import web

from otel_arthur.collector.configuration.addresses import Address
from otel_arthur.collector.receivers.connections import Connections
from otel_arthur.collector.receivers.inside_aiohttp import BoundedServer, clean_up
from otel_arthur.collector.receivers.listening import listener, name_of
from otel_arthur.collector.service.telemetry import Sample, exposition

_logger = logging.getLogger(__name__)

_CONNECTIONS: Final = 100
"""More of them end the one that was used least recently, so that nobody can shut the operators out."""


class OperationsServer:
    """A small HTTP server for one address. It answers GET and HEAD only."""

    def __init__(self, address: Address, pages: dict[str, Callable[[], web.Response]]) -> None:
        self._address = address
        self._pages = pages
        self._runner: web.ServerRunner | None = None
        # What is ended here is no connection of a receiver, so it is not counted as one.
        self._connections = Connections(_CONNECTIONS, lambda _reason: None)

    async def start(self) -> str:
        server = BoundedServer(
            self._handle, self._connections, _refused, access_log=None, keepalive_timeout=30.0
        )
        self._runner = web.ServerRunner(server, handle_signals=False)
        await self._runner.setup()
        made = listener(self._address)
        await web.SockSite(self._runner, made).start()
        return name_of(made)

    async def stop(self, seconds: float) -> None:
        """Free the address; requests under way are answered within a second."""
        if self._runner is not None:
            await clean_up(self._runner, min(seconds, 1.0))

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        page = self._pages.get(request.path)
        if page is None:
            return web.Response(status=404, text="not found\n")
        if request.method not in ("GET", "HEAD"):
            return web.Response(status=405, text="use GET\n", headers={"Allow": "GET, HEAD"})
        if request.transport is not None:
            self._connections.is_idle(request.transport)
        try:
            return page()
        except Exception as error:
            _logger.exception("a page failed", exc_info=error)
            return _refused(500)


def _refused(status: int) -> web.Response:
    """The answer to a request that no page gets. It quotes nothing of the request."""
    text = "internal error\n" if status >= 500 else "the request is malformed HTTP/1.1\n"
    return web.Response(status=status, text=text, headers={"Server": "otel-arthur"})


def status_page(is_good: bool, details: dict[str, object]) -> web.Response:
    """200 or 503, with details as JSON."""
    body = orjson.dumps({"status": "ok" if is_good else "unavailable", **details})
    return web.Response(status=200 if is_good else 503, body=body, content_type="application/json")


def metrics_page(samples: Iterable[Sample]) -> web.Response:
    kind = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}
    return web.Response(body=exposition(samples), headers=kind)
