"""The interface of both transports of the next hop."""

from __future__ import annotations

from typing import Protocol

from otel_arthur.collector.otlp.replies import Reply
from otel_arthur.collector.otlp.request import Request

MAX_ANSWER_BYTES = 4 * 1024 * 1024
"""opentelemetry-proto ``docs/specification.md``: responses are at most 4 MiB."""


class NextHop(Protocol):
    def needs_protobuf(self, request: Request) -> bool:
        """Whether this transport can send only protobuf, and not the sender's bytes."""
        ...

    async def send(self, request: Request, protobuf: bytes | None) -> Reply:
        """Hand a request on and return the answer. No fault of the network raises.

        Args:
            protobuf: the message as uncompressed protobuf; None where the sender's bytes go on.
        """
        ...

    async def close(self) -> None: ...
