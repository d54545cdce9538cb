"""`CoreReceiver`: OTLP/HTTP from the processor, and the answers that name calls."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Mapping

from aiohttp import web

from otel_arthur.collector.configuration.addresses import Address
from otel_arthur.collector.configuration.sections import Limits, Receiver
from otel_arthur.collector.core.listening import Place, UnixSocket, listening
from otel_arthur.collector.otlp import replies
from otel_arthur.collector.otlp.handed_over import CONTENT_TYPE as HANDED_OVER
from otel_arthur.collector.otlp.memory import Memory
from otel_arthur.collector.otlp.replies import HTTPReply, Reply
from otel_arthur.collector.otlp.signals import Signal
from otel_arthur.collector.receivers.connections import Connections
from otel_arthur.collector.receivers.http import ENCODINGS, HTTPReceiver
from otel_arthur.collector.receivers.listening import Export, name_of

CALLS = "application/vnd.otel-arthur.calls"
"""The answer to a trace request that accepts it: trace id and span id of each call, 24 bytes together."""

_PLAIN = Receiver(Address("127.0.0.1", 0))
"""No TLS and no token. The address is not used: the socket is made here."""
Pages = Mapping[str, Callable[[], web.Response]]


class CoreReceiver(HTTPReceiver):
    """An OTLP/HTTP server for one processor, which takes spans in the processor's own form too.

    Args:
        pages: what is answered to GET, by path.
    """

    encodings = {**ENCODINGS, HANDED_OVER: False}  # noqa: RUF012
    # What a Unix socket holds. The processor has few connections.
    read_bytes = 256 * 1024

    def __init__(
        self,
        place: Place,
        limits: Limits,
        memory: Memory,
        connections: Connections,
        export: Export,
        pages: Pages,
    ) -> None:
        super().__init__(_PLAIN, limits, memory, connections, export)
        self._place = place
        self._pages = pages

    async def start(self, made: socket.socket | None = None) -> str:
        made = made or listening(self._place)
        await super().start(made)
        return name_of(made) if made.family != socket.AF_UNIX else str(self._place)

    async def stop(self, seconds: float) -> None:
        if isinstance(self._place, UnixSocket):
            with contextlib.suppress(OSError):
                self._place.path.unlink()
        await super().stop(seconds)

    def page(self, request: web.BaseRequest) -> web.Response | None:
        page = self._pages.get(request.path) if request.method == "GET" else None
        return page() if page is not None else None

    def rendered(self, request: web.BaseRequest, signal: Signal, reply: Reply, json: bool) -> HTTPReply:
        """The ids of the calls where the processor wants to stamp their spans, else the answer of OTLP."""
        if reply.code == replies.OK and request.headers.get("Accept") == CALLS:
            body = b"".join(bytes.fromhex(trace_id + span_id) for trace_id, span_id in reply.calls)
            return HTTPReply(200, CALLS, body)
        return super().rendered(request, signal, reply, json)
