"""Everything that we know of aiohttp's insides, each part with a fallback: nothing else looks inside.

Read from aiohttp 3.14.0 and 3.14.5 (``web_server.py``, ``web_protocol.py``, ``web_runner.py``);
`tests/collector/test_inside_aiohttp.py` runs on both, and with each part removed.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from aiohttp import StreamReader, web, web_protocol

from otel_arthur.collector.receivers.connections import Connections

_logger = logging.getLogger(__name__)

READ_BYTES: Final = 64 * 1024
"""Bytes that are read of one connection at once."""


class BoundedServer(web.Server):
    """An HTTP server that tells `Connections` of each one, and of each malformed request.

    ``Server._make_request``, which is given ``web_protocol.ERROR`` for a request that cannot be parsed.
    Fallback: malformed requests are answered and not counted, which one line says.

    ``RequestHandler.handle_error``, which answers such a request with a page that quotes it, a token perhaps.
    Fallback: that page goes out, which one line says.

    ``RequestHandler._messages``, ``_current_request`` and ``_waiter``, and ``web_protocol._ErrInfo``, with
    which `_WatchedConnection` sees the requests under way. Fallback: a malformed body is answered when its
    time is over, and a client that has shut down its sending side is not answered, which one line says.

    Args:
        refusal: an HTTP status -> the answer in place of aiohttp's page.
    """

    def __init__(
        self,
        handler: Any,
        bounded: Connections,
        refusal: Callable[[int], web.Response],
        read_bytes: int = READ_BYTES,
        **settings: Any,
    ) -> None:
        # A handler logs its own faults. aiohttp's other errors are malformed requests, which it would quote.
        settings.setdefault("logger", _silent())
        if hasattr(web.Server, "_make_request") and hasattr(web_protocol, "ERROR"):
            settings["request_factory"] = self._request
        else:
            _logger.warning("malformed requests are not counted: this version of aiohttp is unknown")
        super().__init__(handler, read_bufsize=read_bytes, **settings)
        self._bounded = bounded
        self._read_bytes = read_bytes
        self._made: Callable[[], web.RequestHandler] = super().__call__
        if hasattr(web.RequestHandler, "handle_error"):
            settings.pop("request_factory", None)
            kind = _Connection
            if all(hasattr(owner, name) for owner, name in _QUEUE):
                kind = _WatchedConnection
            else:
                _logger.warning("malformed bodies are waited for: this version of aiohttp is unknown")
            self._made = partial(kind, self, refusal, bounded, read_bufsize=read_bytes, **settings)
        else:
            _logger.warning("malformed requests are answered by aiohttp: this version of it is unknown")

    def __call__(self) -> web.RequestHandler:
        return self._made()

    def connection_made(self, handler: Any, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        # asyncio reads 256 KiB at once, uncounted until a handler comes by: 150 senders that send at once
        # took 100 MB more than is counted. ``_SelectorTransport.max_size``; other transports keep theirs.
        with contextlib.suppress(AttributeError):
            setattr(transport, "max_size", self._read_bytes)  # noqa: B010
        self._bounded.opened(transport)

    def connection_lost(self, handler: Any, exc: BaseException | None = None) -> None:
        self._bounded.closed(handler.transport)
        super().connection_lost(handler, exc)

    def _request(self, message: Any, payload: Any, protocol: Any, writer: Any, task: Any) -> web.BaseRequest:
        if message is web_protocol.ERROR:
            self._bounded.malformed()
        if isinstance(protocol, _WatchedConnection):
            protocol.taken()
        return self._make_request(message, payload, protocol, writer, task)


def _silent() -> logging.Logger:
    logger = logging.Logger("aiohttp")
    logger.addHandler(logging.NullHandler())
    return logger


_QUEUE: Final = (
    (web.RequestHandler, "_messages"),
    (web.RequestHandler, "_current_request"),
    (web.RequestHandler, "_waiter"),
    (web_protocol, "_ErrInfo"),
)


class _Connection(web.RequestHandler):
    def __init__(
        self,
        server: web.Server,
        refusal: Callable[[int], web.Response],
        bounded: Connections,
        **settings: Any,
    ) -> None:
        super().__init__(server, loop=asyncio.get_running_loop(), **settings)
        self._refusal = refusal
        self._bounded = bounded

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        # It raises where an answer is under way already.
        super().handle_error(request, status, exc, message)
        answer = self._refusal(status)
        answer.force_close()
        return answer


class _WatchedConnection(_Connection):
    """A connection that sees the requests which aiohttp has parsed, and not yet handled."""

    _last: StreamReader | None = None
    """The body of the latest request."""
    _is_half_closed = _is_broken_off = False

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self._messages:
            return
        message, self._last = self._messages[-1]
        if isinstance(message, getattr(web_protocol, "_ErrInfo")):  # noqa: B009
            self._break_off()

    # asyncio takes an answer, of which aiohttp knows nothing.
    def eof_received(self) -> bool | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Whether the client has shut down its sending side alone, and waits for an answer.

        aiohttp closes such a connection. asyncio cannot close half of TLS.
        """
        is_idle = not self._messages and self._waiter is not None and not self._waiter.done()
        if is_idle or self._last is None or not self._last.is_eof() or self.ssl_context is not None:
            return super().eof_received()
        self._is_half_closed = True
        self.taken()
        return True

    def taken(self) -> None:
        """A request is being handled: after the last one of a client that sends no more, close."""
        if self._is_half_closed and not self._messages:
            self.close()

    def _break_off(self) -> None:
        # aiohttp queues a malformed chunk as a request of its own, and leaves the reader of the body waiting.
        bodies = [body for _, body in self._messages]
        if self._current_request is not None:
            bodies.append(self._current_request.content)
        for body in bodies:
            if not body.is_eof() and not self._is_broken_off:
                self._is_broken_off = True
                self._bounded.malformed()
                body.set_exception(web.RequestPayloadError("the body is malformed"))


async def clean_up(runner: web.ServerRunner, seconds: float) -> None:
    """Wait for the requests under way, at most `seconds`, and end.

    ``RequestHandler.shutdown`` waits so long for a request, and as long again once it has cancelled the
    request: a client that does not read its answers makes it wait for all of that. So the wait is broken off.

    ``BaseRunner._shutdown_timeout``: by its public name it can be set only when the runner is made. Fallback:
    requests get aiohttp's own time, or less.
    """
    if hasattr(runner, "_shutdown_timeout"):
        runner._shutdown_timeout = seconds  # pyright: ignore[reportPrivateUsage]
    ending = asyncio.ensure_future(runner.cleanup())
    await asyncio.wait([ending], timeout=seconds)
    if ending.done():
        ending.result()
        return
    for connection in runner.server.connections if runner.server is not None else ():
        if connection.transport is not None:
            connection.transport.abort()
    ending.cancel()
