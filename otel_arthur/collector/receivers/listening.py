"""Where servers listen: sockets, and what they are called in logs."""

from __future__ import annotations

import socket

from otel_arthur.collector.configuration.sections import Address

BACKLOG = 1024


def listener(address: Address) -> socket.socket:
    """A socket that listens; ``::`` takes both families, as it does for other servers.

    Raises:
        OSError: the address cannot be had.
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
