"""Where the collector listens, and the address of the next hop."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens. Port 0 is any free port; the log names it."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def address_of(default_port: int) -> Callable[[str], Address]:
    """A parser of ``host:port``, or of a host alone."""

    def parse(value: str) -> Address:
        host, colon, port = value.rpartition(":")
        if not colon or (host.endswith(":") and not value.startswith("[")):
            host, port = value, str(default_port)
        host = host.strip("[]")
        if host == "localhost":
            host = "127.0.0.1"
        try:
            ipaddress.ip_address(host)
        except ValueError:
            if not re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", host):
                raise ValueError("must be host:port, as in 127.0.0.1:4317 or 0.0.0.0:4317") from None
        if not port.isascii() or not port.isdigit() or int(port) > 65535:
            raise ValueError(f"must end in a port number from 0 to 65535, as in 127.0.0.1:{default_port}")
        return Address(host, int(port))

    return parse


def next_hop(value: str) -> str:
    """The URL of an OTLP receiver, over HTTP or gRPC, without a name and password in it."""
    wrong = "must be a URL, as in http://127.0.0.1:14318 or grpc://127.0.0.1:14317"
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        raise ValueError(wrong) from None
    if parts.scheme not in ("http", "https", "grpc", "grpcs") or not parts.hostname:
        raise ValueError(wrong)
    if parts.username or parts.password:
        raise ValueError("must not hold a password; use forward.headers with ${env:NAME}")
    if parts.query or parts.fragment:
        raise ValueError("must not have a query or a fragment")
    if parts.scheme.startswith("grpc"):
        if port is None:
            raise ValueError(f"must name a port, as in {parts.scheme}://{parts.hostname}:4317")
        if parts.path.strip("/"):
            raise ValueError("must not have a path: gRPC's methods have fixed ones")
    # As some write it for one signal; each signal's own path is appended.
    path = re.sub(r"/v1/(traces|logs|metrics)$", "", parts.path.rstrip("/"))
    return f"{parts.scheme}://{parts.netloc}{path.rstrip('/')}"
