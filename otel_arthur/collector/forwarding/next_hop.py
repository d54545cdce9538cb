"""What both transports of the next hop have in common."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from otel_arthur.collector.otlp.replies import Reply
from otel_arthur.collector.otlp.request import Headers, Request

MAX_ANSWER_BYTES = 4 * 1024 * 1024
"""opentelemetry-proto ``docs/specification.md``: responses are at most 4 MiB."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    request: Request
    headers: Headers
    protobuf: bytes | None = None
    """The message in protobuf and uncompressed; None where the sender's own bytes go on."""

    @property
    def body(self) -> bytes:
        return self.request.body if self.protobuf is None else self.protobuf


class NextHop(Protocol):
    def needs_protobuf(self, request: Request) -> bool:
        """Whether the sender's own bytes cannot be sent, but only `Outgoing.protobuf`."""
        ...

    async def send(self, outgoing: Outgoing) -> Reply:
        """Hand a request on and give back the answer. Never raises for what the network does."""
        ...

    async def close(self) -> None: ...
