"""The next hop over OTLP/gRPC."""

from __future__ import annotations

import base64
import binascii
from typing import Any
from urllib.parse import urlsplit

import grpc
import grpc.aio

from otel_arthur.collector import replies
from otel_arthur.collector.configuration import Forward
from otel_arthur.collector.forwarding.next_hop import MAX_ANSWER_BYTES, Outgoing
from otel_arthur.collector.replies import Reply
from otel_arthur.collector.signals import SIGNALS

_OPTIONS = (
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", MAX_ANSWER_BYTES),
    # gRPC's own retries would hide the next hop's answer: retries belong to the sender.
    ("grpc.enable_retries", 0),
    ("grpc.keepalive_time_ms", 30_000),
    # A next hop that comes back should not wait for gRPC's default of up to two minutes.
    ("grpc.max_reconnect_backoff_ms", 2_000),
)


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

    def needs_protobuf(self, json: bool, over_http: bool) -> bool:
        return over_http

    async def send(self, outgoing: Outgoing) -> Reply:
        body = outgoing.body if outgoing.protobuf is None else outgoing.protobuf
        call = self._calls[outgoing.signal.name](
            body, timeout=self._forward.timeout, metadata=_metadata(outgoing, self._forward)
        )
        try:
            return Reply(response=await call)
        except grpc.aio.AioRpcError as error:
            return _answer(error)

    async def close(self) -> None:
        await self._channel.close()


def _metadata(outgoing: Outgoing, forward: Forward) -> tuple[tuple[str, str | bytes], ...]:
    own = [(name, value) for name, value in outgoing.headers if name not in forward.headers]
    metadata: list[tuple[str, str | bytes]] = []
    for name, value in [*own, *forward.headers.items()]:
        if name.endswith("-bin"):
            if isinstance(value, str):
                try:
                    value = base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
                except binascii.Error:
                    continue
            metadata.append((name, value))
        elif isinstance(value, bytes):
            metadata.append((name, value.decode("latin-1")))
        elif value.isascii() and value.isprintable():
            # Others cannot be written as gRPC metadata; gRPC would refuse the whole call.
            metadata.append((name, value))
    return tuple(metadata)


def _answer(error: grpc.aio.AioRpcError) -> Reply:
    code = int(error.code().value[0])
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
