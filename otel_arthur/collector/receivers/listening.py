"""Sockets that listen, and the base of the OTLP servers of both transports."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable

from otel_arthur.collector.configuration.sections import Address, Limits, Receiver
from otel_arthur.collector.otlp.memory import Hold, Memory
from otel_arthur.collector.otlp.replies import Reply
from otel_arthur.collector.otlp.request import Request
from otel_arthur.collector.receivers.connections import Connections
from otel_arthur.collector.receivers.tls import HANDSHAKE_SECONDS, server_context

BACKLOG = 1024
Export = Callable[[Request, Hold], Awaitable[Reply]]


class OTLPServer:
    """One receiver: its settings, and the pipeline behind it."""

    def __init__(
        self, receiver: Receiver, limits: Limits, memory: Memory, connections: Connections, export: Export
    ) -> None:
        self.receiver = receiver
        self.limits = limits
        self.memory = memory
        self.connections = connections
        self.export = export
        self._listener: asyncio.Server | None = None

    async def listen(
        self, protocol: Callable[[], asyncio.Protocol], made: socket.socket | None, *alpn: str
    ) -> str:
        """Listen at a socket that is `made` already, or at the configured address; returns the address.

        Raises:
            OSError: the address is not free.
        """
        tls = server_context(self.receiver.tls, *alpn) if self.receiver.tls else None
        made = made or listener(self.receiver.address)
        self._listener = await asyncio.get_running_loop().create_server(
            protocol, sock=made, ssl=tls, ssl_handshake_timeout=HANDSHAKE_SECONDS if tls else None
        )
        return name_of(made)

    def stop_listening(self) -> None:
        if self._listener is not None:
            self._listener.close()


def listener(address: Address) -> socket.socket:
    """A socket that listens; ``::`` takes both families, as for other servers.

    Raises:
        OSError: the address is not free.
    """
    try:
        found = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except socket.gaierror as error:
        raise OSError(f"cannot listen on {address} ({error.strerror})") from None
    family, _, _, _, where = found[0]
    both = family == socket.AF_INET6 and where[0] == "::" and socket.has_dualstack_ipv6()
    try:
        made = socket.create_server(where, family=family, backlog=BACKLOG, dualstack_ipv6=both)
    except OSError as error:
        raise OSError(f"cannot listen on {address} ({error.strerror})") from None
    made.setblocking(False)
    return made


def name_of(made: socket.socket) -> str:
    """``host:port``, with brackets around an IPv6 address."""
    host, port = made.getsockname()[:2]
    return str(Address(host, port))
