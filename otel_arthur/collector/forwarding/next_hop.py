"""What both transports of the next hop have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from otel_arthur.collector.replies import Reply
from otel_arthur.collector.request import Headers
from otel_arthur.collector.signals import Signal

MAX_ANSWER_BYTES = 4 * 1024 * 1024
"""opentelemetry-proto ``docs/specification.md``: responses are at most 4 MiB."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A request on its way out. One of `body` (as it came, with its compression) and `protobuf` is used."""

    signal: Signal
    headers: Headers
    body: bytes
    """The sender's own bytes."""
    protobuf: bytes | None
    """The message in protobuf and uncompressed; None for JSON that was not read."""
    json: bool
    compression: str | None


class NextHop(Protocol):
    """A client of the next hop."""

    def needs_protobuf(self, json: bool, over_http: bool) -> bool:
        """Whether `send` will use `Outgoing.protobuf` rather than `Outgoing.body`."""
        ...

    async def send(self, outgoing: Outgoing) -> Reply:
        """Hand a request on and give back the answer. Never raises for what the network does."""
        ...

    async def close(self) -> None:
        """End the connections."""
        ...
