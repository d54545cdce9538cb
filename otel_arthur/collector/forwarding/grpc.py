"""The next hop over OTLP/gRPC."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import grpc
import grpc.aio

from otel_arthur.collector.configuration.sections import Forward
from otel_arthur.collector.forwarding.next_hop import MAX_ANSWER_BYTES
from otel_arthur.collector.otlp import replies
from otel_arthur.collector.otlp.decoding import is_response
from otel_arthur.collector.otlp.replies import Reply
from otel_arthur.collector.otlp.request import Request, binary
from otel_arthur.collector.otlp.signals import SIGNALS

_OPTIONS = (
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", MAX_ANSWER_BYTES),
    # gRPC's own retries would hide the next hop's answer: retries belong to the sender.
    ("grpc.enable_retries", 0),
    ("grpc.keepalive_time_ms", 30_000),
    # gRPC's default would leave a next hop that is back alone for up to two minutes.
    ("grpc.max_reconnect_backoff_ms", 2_000),
)


_TOO_LARGE = "CLIENT: Received message larger than max"
"""The words of gRPC's core for an answer that is too large."""


class GRPCNextHop:
    """Calls ``Export`` with the message's own bytes."""

    def __init__(self, forward: Forward) -> None:
        self._forward = forward
        target = urlsplit(forward.endpoint).netloc
        if forward.is_secure:
            self._channel = grpc.aio.secure_channel(target, _credentials(forward), options=_OPTIONS)
        else:
            self._channel = grpc.aio.insecure_channel(target, options=_OPTIONS)
        # No serializer: the bytes go as they are.
        self._calls: dict[str, Any] = {
            signal.name: self._channel.unary_unary(signal.method) for signal in SIGNALS
        }

    def needs_protobuf(self, request: Request) -> bool:
        return request.json or request.compression is not None

    async def send(self, request: Request, protobuf: bytes | None) -> Reply:
        try:
            response = await self._calls[request.signal.name](
                request.body if protobuf is None else protobuf,
                timeout=self._forward.timeout,
                metadata=_metadata(request, self._forward),
            )
        except grpc.aio.AioRpcError as error:
            return _reply(error)
        except (grpc.RpcError, grpc.aio.UsageError, ValueError, TypeError):
            return replies.unavailable("the next hop cannot be asked")
        if not is_response(request.signal, response):
            return replies.bad_gateway("the next hop's answer is no OTLP")
        return Reply(response=response)

    async def close(self) -> None:
        await self._channel.close()


def _metadata(request: Request, forward: Forward) -> tuple[tuple[str, str | bytes], ...]:
    own = [(name, value) for name, value in request.headers if name not in forward.headers]
    metadata: list[tuple[str, str | bytes]] = []
    for name, value in [*own, *forward.headers.items()]:
        if name.endswith("-bin"):
            if (decoded := binary(value)) is not None:
                metadata.append((name, decoded))
        elif isinstance(value, bytes):
            metadata.append((name, value.decode("latin-1")))
        elif value.isascii() and value.isprintable():
            # gRPC would refuse the whole call for a header that cannot be metadata.
            metadata.append((name, value))
    return tuple(metadata)


def _reply(error: grpc.aio.AioRpcError) -> Reply:
    code = int(error.code().value[0])
    if code == replies.RESOURCE_EXHAUSTED and _TOO_LARGE in (error.details() or ""):
        return replies.bad_gateway("the next hop's answer is larger than 4 MiB")
    trailing: Any = error.trailing_metadata() or ()
    details = next((value for name, value in trailing if name == "grpc-status-details-bin"), None)
    raw = details if isinstance(details, bytes) else None
    retry_after = replies.retry_delay(raw)
    if code == replies.UNAVAILABLE and raw is None:
        retry_after = 1.0
    return Reply(code, (error.details() or "")[:1000], retry_after, details=raw)


def _credentials(forward: Forward) -> grpc.ChannelCredentials:
    return grpc.ssl_channel_credentials(
        forward.ca_file.read_bytes() if forward.ca_file else None,
        forward.key_file.read_bytes() if forward.key_file else None,
        forward.cert_file.read_bytes() if forward.cert_file else None,
    )
