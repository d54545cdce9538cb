"""OTLP/gRPC. Sources: opentelemetry-proto ``docs/specification.md``, "OTLP/gRPC", and grpc
``doc/PROTOCOL-HTTP2.md``.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import socket
from dataclasses import dataclass, field
from urllib.parse import quote

from otel_arthur.collector.otlp import replies
from otel_arthur.collector.otlp.inflating import COMPRESSIONS
from otel_arthur.collector.otlp.memory import Hold, NoRoom
from otel_arthur.collector.otlp.replies import Reply
from otel_arthur.collector.otlp.request import Request, binary
from otel_arthur.collector.otlp.signals import SIGNALS, Signal
from otel_arthur.collector.receivers.http2 import Connection, Headers
from otel_arthur.collector.receivers.listening import UNAUTHENTICATED, OTLPServer

_logger = logging.getLogger(__name__)

_METHODS = {signal.method: signal for signal in SIGNALS}
_PREFIX_BYTES = 5
"""The prefix of each message: whether the message is compressed, and its length."""
_CONTENT_TYPE = ("content-type", "application/grpc")
_CONTENT_TYPES = ("application/grpc", "application/grpc+proto")
_RESPONSE: Headers = [
    (":status", "200"),
    _CONTENT_TYPE,
    ("grpc-accept-encoding", ", ".join(("identity", *COMPRESSIONS))),
]
_PLAIN = " !\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~"
"""The signs of a message that are not escaped (``PROTOCOL-HTTP2.md``, Status-Message)."""
_OK: Headers = [("grpc-status", "0")]


@dataclass(eq=False)
class GRPCReceiver(OTLPServer):
    """An OTLP/gRPC server that takes messages as bytes, so that the sender's bytes can be handed on."""

    _alive: set[Connection] = field(default_factory=set[Connection], init=False)

    async def start(self, made: socket.socket | None = None) -> str:
        seconds = self.limits.request_timeout
        return await self.listen(
            lambda: Connection(self._opened, self.connections, self._alive, seconds), made, "h2"
        )

    async def stop(self, seconds: float) -> None:
        self.stop_listening()
        for connection in tuple(self._alive):
            connection.drain()
        deadline = asyncio.get_running_loop().time() + seconds
        while self._alive and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.02)
        for connection in tuple(self._alive):
            connection.close()

    def _opened(self, connection: Connection, stream_id: int, headers: Headers) -> Call | None:
        metadata = dict(headers)
        if metadata.get(":method") != "POST":
            # The one method of gRPC. A proxy may repeat, or answer itself, what comes by others.
            connection.answer(stream_id, [(":status", "405"), ("allow", "POST")])
            return None
        if metadata.get("content-type", "").partition(";")[0].strip().lower() not in _CONTENT_TYPES:
            # A client of another protocol, who knows no status of gRPC.
            connection.answer(stream_id, [(":status", "415")])
            return None
        refusal = self._refusal(metadata)
        if refusal is None:
            try:
                return Call(self, connection, stream_id, headers, metadata, self.memory.request())
            except NoRoom:
                refusal = replies.busy()
        connection.answer(stream_id, [*_RESPONSE, *_status(refusal)])
        return None

    def _refusal(self, metadata: dict[str, str]) -> Reply | None:
        """The refusal of a call whose headers are wrong; None otherwise."""
        if not self.admits(metadata.get("authorization")):
            return UNAUTHENTICATED
        if metadata.get(":path") not in _METHODS:
            return Reply(replies.UNIMPLEMENTED, f"call one of {', '.join(_METHODS)}")
        if metadata.get("grpc-encoding", "identity") not in ("identity", *COMPRESSIONS):
            return Reply(replies.UNIMPLEMENTED, f"grpc-encoding must be {', '.join(COMPRESSIONS)} or none")
        return None


class Call:
    """One call, from its headers to its answer."""

    def __init__(
        self,
        receiver: GRPCReceiver,
        connection: Connection,
        stream_id: int,
        headers: Headers,
        metadata: dict[str, str],
        hold: Hold,
    ) -> None:
        self._receiver = receiver
        self._connection = connection
        self._stream_id = stream_id
        self._headers = headers
        self._signal: Signal = _METHODS[metadata[":path"]]
        self._compression = metadata.get("grpc-encoding")
        self._hold = hold
        self._body = bytearray()
        self._is_answered = False
        self._task: asyncio.Task[None] | None = None
        self._timer = asyncio.get_running_loop().call_later(
            receiver.limits.request_timeout,
            self._refuse,
            Reply(replies.DEADLINE_EXCEEDED, "the request did not arrive in time"),
        )

    def received(self, data: bytes) -> None:
        if self._is_answered:
            return
        try:
            self._hold.grow(len(data))
        except NoRoom:
            self._refuse(replies.busy())
            return
        self._body += data
        if len(self._body) >= _PREFIX_BYTES:
            length = int.from_bytes(self._body[1:_PREFIX_BYTES], "big")
            if length > self._receiver.limits.max_request_bytes:
                self._refuse(replies.too_large(self._receiver.limits.max_request_bytes))
            elif len(self._body) > _PREFIX_BYTES + length:
                self._refuse(replies.bad_data("the call holds more than one message"))

    def ended(self) -> None:
        if self._is_answered:
            return
        self._timer.cancel()
        length = int.from_bytes(self._body[1:_PREFIX_BYTES], "big")
        if len(self._body) < _PREFIX_BYTES or len(self._body) != _PREFIX_BYTES + length:
            self._refuse(replies.bad_data("the call holds no message"))
            return
        self._connection.working()
        self._task = asyncio.create_task(self._answer())
        self._task.add_done_callback(self._done)

    def lost(self) -> None:
        self._is_answered = True
        self._timer.cancel()
        if self._task is not None:
            self._task.cancel()
        else:
            self._hold.release()

    async def _answer(self) -> None:
        reply = await self._reply()
        self._is_answered = True
        if reply.code == replies.OK:
            message = b"\0" + len(reply.response).to_bytes(4, "big") + reply.response
            await self._connection.answer_with_body(self._stream_id, message, _RESPONSE, _OK)
        else:
            self._connection.answer(self._stream_id, [*_RESPONSE, *_status(reply)])

    async def _reply(self) -> Reply:
        message = bytes(memoryview(self._body)[_PREFIX_BYTES:])
        is_compressed = bool(self._body[0])
        self._body = bytearray()
        if is_compressed and self._compression in (None, "identity"):
            return Reply(replies.INTERNAL, "the message is compressed, but grpc-encoding does not say how")
        headers, hops = self._receiver.for_next_hop(_metadata(self._headers))
        request = Request(
            self._signal,
            "grpc",
            message,
            compression=self._compression if is_compressed else None,
            headers=headers,
            hops=hops,
            sender=self._connection.sender,
        )
        try:
            return await self._receiver.export(request, self._hold)
        except Exception as error:
            _logger.exception("a request failed", exc_info=error)
            return Reply(replies.INTERNAL, "internal error")

    def _done(self, task: asyncio.Task[None]) -> None:
        self._hold.release()
        self._connection.finished()
        if not task.cancelled() and (error := task.exception()) is not None:
            _logger.error("an answer could not be sent", exc_info=error)

    def _refuse(self, reply: Reply) -> None:
        self._is_answered = True
        self._timer.cancel()
        self._body = bytearray()
        self._hold.release()
        self._connection.answer(self._stream_id, [*_RESPONSE, *_status(reply)])


def _status(reply: Reply) -> Headers:
    status = [("grpc-status", str(reply.code)), ("grpc-message", quote(reply.message, safe=_PLAIN))]
    if reply.details is not None or reply.retry_after is not None:
        details = reply.details or reply.status_message().SerializeToString()
        status.append(("grpc-status-details-bin", base64.b64encode(details).decode().rstrip("=")))
    return status


def _metadata(headers: Headers) -> list[tuple[str, str | bytes]]:
    return [(name, (binary(value) or value) if name.endswith("-bin") else value) for name, value in headers]
