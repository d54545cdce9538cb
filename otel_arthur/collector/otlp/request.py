"""A request as a receiver got it, unread."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from otel_arthur.collector.otlp.signals import Signal

HOP_HEADER = "x-otel-arthur-hop"
"""The header that names every collector of ours on the way of a request, so that a loop is seen."""

Headers = tuple[tuple[str, str | bytes], ...]

# RFC 9110, 7.6.1, and headers about one connection.
_HOP_BY_HOP = frozenset(
    {
        "accept-encoding",
        "connection",
        "content-length",
        "expect",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
    }
)
# Headers about the body belong to the transport that carries the body.
_OF_THE_BODY = frozenset({"accept", "content-encoding", "content-type"})


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `headers` are the sender's end-to-end headers, in lower case."""

    signal: Signal
    transport: str
    """``http`` or ``grpc``."""
    body: bytes
    """The received body over HTTP; over gRPC the message, decompressed."""
    json: bool = False
    handed_over: bool = False
    """Whether the body is in the processor's own form, and not OTLP."""
    compression: str | None = None
    headers: Headers = ()
    hops: tuple[str, ...] = ()
    sender: str = ""
    """The sender's address; empty over a Unix socket."""


def binary(value: str | bytes) -> bytes | None:
    """The bytes of a header named ``…-bin`` (grpc ``PROTOCOL-HTTP2.md``); None where it is no base64."""
    if isinstance(value, bytes):
        return value
    try:
        return base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
    except binascii.Error:
        return None


def end_to_end(
    pairs: Iterable[tuple[str, str | bytes]], consumed: Iterable[str] = ()
) -> tuple[Headers, tuple[str, ...]]:
    """The headers to hand on, and the hops that the request went through.

    Headers of one connection, headers about the body, and `consumed` headers, such as an ``authorization``
    for us, are left out.
    """
    headers = [(name.lower(), value) for name, value in pairs]
    left_out = {*_HOP_BY_HOP, *_OF_THE_BODY, *consumed, HOP_HEADER}
    for name, value in headers:
        if name == "connection" and isinstance(value, str):
            left_out.update(part.strip().lower() for part in value.split(","))
    hops = tuple(_hops(headers))
    return tuple(pair for pair in headers if _is_handed_on(pair[0], left_out)), hops


def _is_handed_on(name: str, left_out: set[str]) -> bool:
    return name not in left_out and not name.startswith((":", "grpc-"))


def _hops(headers: Iterable[tuple[str, str | bytes]]) -> Iterator[str]:
    for name, value in headers:
        if name == HOP_HEADER and isinstance(value, str):
            yield from (part.strip() for part in value.split(",") if part.strip())
