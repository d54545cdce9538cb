"""The interface of both transports of the next hop."""

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
    """The message as uncompressed protobuf; None where the sender's bytes go on."""

    @property
    def body(self) -> bytes:
        return self.request.body if self.protobuf is None else self.protobuf


class NextHop(Protocol):
    def needs_protobuf(self, request: Request) -> bool:
        """Whether this transport can send only `Outgoing.protobuf`, and not the sender's bytes."""
        ...

    async def send(self, outgoing: Outgoing) -> Reply:
        """Hand a request on and return the answer. No fault of the network raises."""
        ...

    async def close(self) -> None: ...
