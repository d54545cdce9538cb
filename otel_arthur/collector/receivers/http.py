"""OTLP/HTTP. Source: opentelemetry-proto ``docs/specification.md``, "OTLP/HTTP"."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from aiohttp import web
from aiohttp.http import HttpProcessingError

from otel_arthur.collector.otlp import replies
from otel_arthur.collector.otlp.decoding import response_json
from otel_arthur.collector.otlp.handed_over import CONTENT_TYPE as HANDED_OVER
from otel_arthur.collector.otlp.inflating import COMPRESSIONS
from otel_arthur.collector.otlp.memory import Hold, NoRoom
from otel_arthur.collector.otlp.replies import HTTPReply, Reply, http_error
from otel_arthur.collector.otlp.request import Request
from otel_arthur.collector.otlp.signals import SIGNALS, Signal
from otel_arthur.collector.receivers.cors import allowed, is_allowed, preflight
from otel_arthur.collector.receivers.inside_aiohttp import READ_BYTES, BoundedServer, clean_up
from otel_arthur.collector.receivers.listening import UNAUTHENTICATED, OTLPServer

_logger = logging.getLogger(__name__)

MAX_HEADER_BYTES = 32 * 1024
_PATHS = {signal.path: signal for signal in SIGNALS}
ENCODINGS = {"application/x-protobuf": False, "application/protobuf": False, "application/json": True}
"""Content type -> whether it is JSON."""
_NAMES = {"": None, "identity": None, "x-gzip": "gzip", **{name: name for name in COMPRESSIONS}}


@dataclass(eq=False)
class HTTPReceiver(OTLPServer):
    encodings: ClassVar[Mapping[str, bool]] = ENCODINGS
    """Accepted content types -> whether each is JSON."""
    read_bytes: ClassVar[int] = READ_BYTES
    _runner: web.ServerRunner | None = field(default=None, init=False)

    async def start(self, made: socket.socket | None = None) -> str:
        server = BoundedServer(
            self._handle,
            self.connections,
            _refused,
            self.read_bytes,
            auto_decompress=False,
            access_log=None,
            max_line_size=MAX_HEADER_BYTES,
            max_field_size=MAX_HEADER_BYTES,
            # This bounds slow headers too, which nothing else does.
            keepalive_timeout=60.0,
            lingering_time=2.0,
        )
        self._runner = web.ServerRunner(server, handle_signals=False)
        await self._runner.setup()
        return await self.listen(server, made)

    async def stop(self, seconds: float) -> None:
        self.stop_listening()
        if self._runner is not None:
            await clean_up(self._runner, seconds)

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        json = "json" in request.content_type
        transport = request.transport
        cors = self.receiver.cors
        try:
            if cors is not None and (answer := preflight(request, cors)) is not None:
                return answer
            if (page := self.page(request)) is not None:
                return page
            response = _response(await self._answer(request))
            if request.content.exception() is not None:
                response.force_close()
        except (ConnectionError, asyncio.CancelledError):
            raise
        except Exception as error:
            _logger.exception("a request failed", exc_info=error)
            return _response(http_error(Reply(replies.INTERNAL, "internal error", status=500), json))
        else:
            if is_allowed(request, cors):
                response.headers.update(allowed(request))
            return response
        finally:
            if transport is not None:
                self.connections.is_idle(transport)

    def page(self, request: web.BaseRequest) -> web.Response | None:
        """The answer to a request that is no export; None for an export."""
        return None

    async def _answer(self, request: web.BaseRequest) -> HTTPReply:
        signal = _PATHS.get(request.path) or _PATHS.get(_plain(request.path))
        json = self.encodings.get(request.content_type)
        refusal = self._refusal(request, signal, json)
        if refusal is not None or signal is None or json is None:
            return http_error(refusal or UNAUTHENTICATED, "json" in request.content_type)
        try:
            hold = self.memory.request()
        except NoRoom:
            return http_error(replies.busy(), json)
        try:
            body = await self._body(request, hold)
            if isinstance(body, Reply):
                return http_error(body, json)
            headers, hops = self.for_next_hop(request.headers.items())
            compression = _NAMES[request.headers.get("Content-Encoding", "").strip().lower()]
            handed_over = request.content_type == HANDED_OVER
            taken = Request(
                signal, "http", body, json, handed_over, compression, headers, hops, request.remote or ""
            )
            return self.rendered(request, signal, await self.export(taken, hold), json)
        finally:
            hold.release()

    def rendered(self, request: web.BaseRequest, signal: Signal, reply: Reply, json: bool) -> HTTPReply:
        """An answer in the encoding of the request."""
        if reply.verbatim is not None:
            return reply.verbatim
        if reply.code != replies.OK:
            return http_error(reply, json)
        if json:
            return HTTPReply(200, "application/json", response_json(signal, reply.response))
        return HTTPReply(200, "application/x-protobuf", reply.response)

    def _refusal(self, request: web.BaseRequest, signal: Signal | None, json: bool | None) -> Reply | None:
        """The refusal of a request whose headers are wrong; None otherwise."""
        if not self.admits(request.headers.get("Authorization")):
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
        if length is not None and length > self.limits.max_request_bytes:
            return replies.too_large(self.limits.max_request_bytes)
        return None

    async def _body(self, request: web.BaseRequest, hold: Hold) -> bytes | Reply:
        """The bytes of the body, within the limits of size, of memory and of time."""
        transport = request.transport
        assert transport is not None
        self.connections.is_sending(transport)
        try:
            # RFC 9110, 10.1.1: a sender that asks first waits for this, or for a second at least.
            if request.headers.get("Expect", "").lower() == "100-continue":
                await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            pieces = self._pieces(request, hold)
            # A body that has come whole needs no wait, which would take a task of its own.
            is_whole = request.content.is_eof()
            body = await (pieces if is_whole else asyncio.wait_for(pieces, self.limits.request_timeout))
        except (asyncio.TimeoutError, TimeoutError):
            # Not 408: OTLP clients do not send a request again after that.
            return replies.unavailable("the request did not arrive in time")
        except (web.RequestPayloadError, HttpProcessingError):  # of either parser that aiohttp has
            return replies.bad_data("the body does not have the form that its headers announce")
        except NoRoom:
            return replies.busy()
        self.connections.is_working(transport)
        return body

    async def _pieces(self, request: web.BaseRequest, hold: Hold) -> bytes | Reply:
        body = bytearray()
        try:
            async for piece in request.content.iter_any():
                hold.grow(len(piece))
                if len(body) + len(piece) > self.limits.max_request_bytes:
                    return replies.too_large(self.limits.max_request_bytes)
                if request.content.at_eof() and not body:
                    return piece
                body += piece
            return bytes(body)
        finally:
            # An error's traceback keeps this frame until the garbage collector comes by, but not these bytes.
            body.clear()


def _plain(path: str) -> str:
    """The path without doubled slashes, which senders make of an endpoint that ends in a slash."""
    return re.sub("/+", "/", path).rstrip("/")


def _refused(status: int) -> web.Response:
    """The answer to a request that no handler gets, in protobuf: its content type is not known."""
    reply = replies.bad_data("the request is malformed HTTP/1.1, or has too many or too long headers")
    if status >= 500:
        reply = Reply(replies.INTERNAL, "internal error", status=500)
    return _response(http_error(reply, False))


def _response(reply: HTTPReply) -> web.Response:
    return web.Response(
        status=reply.status,
        body=reply.body,
        headers=[("Content-Type", reply.content_type), ("Server", "otel-arthur"), *reply.headers],
    )
