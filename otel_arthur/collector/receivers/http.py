"""OTLP/HTTP. Source: opentelemetry-proto ``docs/specification.md``, "OTLP/HTTP"."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from otel_arthur.collector import replies
from otel_arthur.collector.configuration import Limits, Receiver, ServerTLS
from otel_arthur.collector.decoding import COMPRESSIONS, response_json
from otel_arthur.collector.receivers.admission import UNAUTHENTICATED, Admission, Hold, is_authorized
from otel_arthur.collector.replies import HTTPReply, Reply, http_error
from otel_arthur.collector.request import Request, end_to_end
from otel_arthur.collector.signals import SIGNALS, Signal

_logger = logging.getLogger(__name__)

Export = Callable[[Request], Awaitable[Reply]]
_PATHS = {signal.path: signal for signal in SIGNALS}
_ENCODINGS = {"application/x-protobuf": False, "application/protobuf": False, "application/json": True}
_NAMES = {"": None, "identity": None, "x-gzip": "gzip", **{name: name for name in COMPRESSIONS}}


class HTTPReceiver:
    """An OTLP/HTTP server."""

    def __init__(self, receiver: Receiver, limits: Limits, admission: Admission, export: Export) -> None:
        self._receiver = receiver
        self._limits = limits
        self._admission = admission
        self._export = export
        self._runner: web.ServerRunner | None = None

    async def start(self) -> str:
        """Listen; returns the address. Raises OSError where it cannot be had."""
        server = _BoundedServer(
            self._handle,
            self._limits.max_connections,
            auto_decompress=False,
            access_log=None,
            logger=_logger,
            # Also how long a connection may take to say what it wants: nothing else bounds slow headers.
            keepalive_timeout=60.0,
            lingering_time=2.0,
        )
        self._runner = web.ServerRunner(server, handle_signals=False)
        await self._runner.setup()
        address = self._receiver.address
        tls = server_context(self._receiver.tls) if self._receiver.tls else None
        await web.TCPSite(self._runner, address.host, address.port, ssl_context=tls).start()
        host, port = self._runner.addresses[0][:2]
        return f"{host}:{port}"

    async def stop(self, seconds: float) -> None:
        """Take no more requests and wait for those under way, at most so long."""
        if self._runner is not None:
            self._runner._shutdown_timeout = seconds  # pyright: ignore[reportPrivateUsage]
            await self._runner.cleanup()

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        json = "json" in request.content_type
        try:
            return _response(await self._answer(request))
        except (ConnectionError, asyncio.CancelledError):
            raise
        except Exception as error:
            _logger.exception("a request failed", exc_info=error)
            return _response(http_error(Reply(replies.INTERNAL, "internal error", status=500), json))

    async def _answer(self, request: web.BaseRequest) -> HTTPReply:
        signal = _PATHS.get(request.path)
        json = _ENCODINGS.get(request.content_type)
        refusal = self._refusal(request, signal, json)
        if refusal is not None or signal is None or json is None:
            return http_error(refusal or UNAUTHENTICATED, "json" in request.content_type)
        with self._admission.request() as hold:
            body = await self._body(request, hold)
            if isinstance(body, Reply):
                return http_error(body, json)
            headers, hops = end_to_end(
                request.headers.items(), ("authorization",) if self._receiver.bearer_token else ()
            )
            compression = _NAMES[request.headers.get("Content-Encoding", "").strip().lower()]
            otlp = Request(signal, "http", body, json, compression, headers, hops)
            return _rendered(signal, await self._export(otlp), json)

    def _refusal(self, request: web.BaseRequest, signal: Signal | None, json: bool | None) -> Reply | None:
        """What can be said without reading the body."""
        if not is_authorized(request.headers.get("Authorization"), self._receiver.bearer_token):
            return UNAUTHENTICATED
        if signal is None:
            return Reply(replies.UNIMPLEMENTED, f"post to one of {', '.join(_PATHS)}", status=404)
        if request.method != "POST":
            return Reply(replies.UNIMPLEMENTED, "the method must be POST", status=405)
        if json is None:
            return Reply(
                replies.INVALID_ARGUMENT,
                "Content-Type must be application/x-protobuf or application/json",
                status=415,
            )
        if request.headers.get("Content-Encoding", "").strip().lower() not in _NAMES:
            return Reply(
                replies.INVALID_ARGUMENT,
                f"Content-Encoding must be {', '.join(COMPRESSIONS)} or none",
                status=415,
            )
        length = request.content_length
        if length is not None and length > self._limits.max_request_bytes:
            return replies.too_large(self._limits.max_request_bytes)
        return self._admission.refusal() if self._admission.is_full else None

    async def _body(self, request: web.BaseRequest, hold: Hold) -> bytes | Reply:
        """The bytes of the body, within the limits of size, of memory and of time."""
        try:
            return await asyncio.wait_for(self._pieces(request, hold), self._limits.request_timeout)
        except (asyncio.TimeoutError, TimeoutError):
            # Not 408: OTLP clients do not send a request again after that.
            return replies.unavailable("the request did not arrive in time")
        except web.RequestPayloadError:
            return replies.bad_data("the body does not have the form that its headers announce")

    async def _pieces(self, request: web.BaseRequest, hold: Hold) -> bytes | Reply:
        body = bytearray()
        async for piece in request.content.iter_any():
            body += piece
            hold.hold(len(piece))
            if len(body) > self._limits.max_request_bytes:
                return replies.too_large(self._limits.max_request_bytes)
            if self._admission.is_full:
                return self._admission.refusal()
        return bytes(body)


class _BoundedServer(web.Server):
    """Closes connections above a number at once: they hold memory even when they say nothing."""

    def __init__(self, handler: Any, limit: int, **settings: Any) -> None:
        super().__init__(handler, **settings)
        self._limit = limit

    def connection_made(self, handler: Any, transport: asyncio.Transport) -> None:
        super().connection_made(handler, transport)
        if len(self.connections) > self._limit:
            transport.abort()


def server_context(tls: ServerTLS) -> ssl.SSLContext:
    """TLS of a server, and of its clients where an authority for them is named."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(tls.cert_file, tls.key_file)
    if tls.client_ca_file is not None:
        context.load_verify_locations(tls.client_ca_file)
        context.verify_mode = ssl.CERT_REQUIRED
    return context


def _rendered(signal: Signal, answer: Reply, json: bool) -> HTTPReply:
    if answer.verbatim is not None:
        return answer.verbatim
    if answer.code != replies.OK:
        return http_error(answer, json)
    if json:
        return HTTPReply(200, "application/json", response_json(signal, answer.response))
    return HTTPReply(200, "application/x-protobuf", answer.response)


def _response(answer: HTTPReply) -> web.Response:
    return web.Response(
        status=answer.status,
        body=answer.body,
        headers=[("Content-Type", answer.content_type), ("Server", "otel-arthur"), *answer.headers],
    )
