"""Sockets that listen, and the base of the OTLP servers of both transports: TLS, the token, the headers."""

from __future__ import annotations

import asyncio
import hmac
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from otel_arthur.collector.configuration.sections import Address, Limits, Receiver, ServerTLS
from otel_arthur.collector.otlp import replies
from otel_arthur.collector.otlp.memory import Hold, Memory
from otel_arthur.collector.otlp.replies import Reply
from otel_arthur.collector.otlp.request import Headers, Request, end_to_end
from otel_arthur.collector.receivers.connections import Connections

BACKLOG = 1024
_HANDSHAKE_SECONDS = 10.0
"""Seconds for a handshake: a connection holds memory before it counts as a connection."""
Export = Callable[[Request, Hold], Awaitable[Reply]]
UNAUTHENTICATED = Reply(
    replies.UNAUTHENTICATED,
    "this receiver needs the header Authorization: Bearer, with its token",
    status=401,
)


@dataclass(eq=False)
class OTLPServer:
    """One receiver: its settings, and the pipeline behind it."""

    receiver: Receiver
    limits: Limits
    memory: Memory
    connections: Connections
    export: Export
    _listener: asyncio.Server | None = field(default=None, init=False)

    async def listen(
        self, protocol: Callable[[], asyncio.Protocol], made: socket.socket | None, *alpn: str
    ) -> str:
        """Listen at a socket that is `made` already, or at the configured address; returns the address.

        Raises:
            OSError: the address is not free.
        """
        tls = _server_context(self.receiver.tls, *alpn) if self.receiver.tls else None
        made = made or listener(self.receiver.address)
        self._listener = await asyncio.get_running_loop().create_server(
            protocol, sock=made, ssl=tls, ssl_handshake_timeout=_HANDSHAKE_SECONDS if tls else None
        )
        return name_of(made)

    def stop_listening(self) -> None:
        if self._listener is not None:
            self._listener.close()

    def admits(self, header: str | None) -> bool:
        """Whether an ``Authorization`` header holds the bearer token, compared in constant time."""
        token = self.receiver.bearer_token
        if token is None:
            return True
        scheme, _, credentials = (header or "").encode("latin-1", "replace").partition(b" ")
        return scheme.lower() == b"bearer" and hmac.compare_digest(credentials.strip(), token.encode())

    def for_next_hop(self, headers: Iterable[tuple[str, str | bytes]]) -> tuple[Headers, tuple[str, ...]]:
        """As `end_to_end`; our own token is for us alone."""
        return end_to_end(headers, ("authorization",) if self.receiver.bearer_token else ())


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


def _server_context(tls: ServerTLS, *protocols: str) -> ssl.SSLContext:
    """TLS of a server, and of its clients where an authority for clients is named."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(tls.cert_file, tls.key_file)
    if tls.client_ca_file is not None:
        context.load_verify_locations(tls.client_ca_file)
        context.verify_mode = ssl.CERT_REQUIRED
    if protocols:
        context.set_alpn_protocols(protocols)
    return context


def name_of(made: socket.socket) -> str:
    """``host:port``, with brackets around an IPv6 address."""
    host, port = made.getsockname()[:2]
    return str(Address(host, port))
