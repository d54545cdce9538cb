"""A request as a receiver got it, before anything was made of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from otel_arthur.collector.otlp.signals import Signal

HOP_HEADER = "x-otel-arthur-hop"
"""Names every collector of ours that a request went through, so that a loop is seen."""

Headers = tuple[tuple[str, str | bytes], ...]

# RFC 9110, 7.6.1, and what each connection says of itself.
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
# What describes the body belongs to the transport that carries it.
_OF_THE_BODY = frozenset({"accept", "content-encoding", "content-type"})


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `headers` are those of the sender that are meant for the end, in lower case."""

    signal: Signal
    transport: str
    """``http`` or ``grpc``."""
    body: bytes
    """As it came over HTTP; over gRPC the message, which gRPC itself decompressed."""
    json: bool = False
    handed_over: bool = False
    """Whether the body is in the processor's own form, and not OTLP."""
    compression: str | None = None
    headers: Headers = ()
    hops: tuple[str, ...] = ()
    sender: str = ""
    """The address that it came from; empty over a socket of the file system."""


def end_to_end(
    pairs: Iterable[tuple[str, str | bytes]], consumed: Iterable[str] = ()
) -> tuple[Headers, tuple[str, ...]]:
    """The headers to hand on, and the hops that the request went through.

    Left out: those of one connection, those that describe the body, and `consumed` ones, such
    as an ``authorization`` that was for us.
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
