"""OTLP/gRPC. Source: opentelemetry-proto ``docs/specification.md``, "OTLP/gRPC"."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import grpc.aio

from otel_arthur.collector import replies
from otel_arthur.collector.configuration import Limits, Receiver, ServerTLS
from otel_arthur.collector.receivers.admission import UNAUTHENTICATED, Admission, is_authorized
from otel_arthur.collector.replies import Reply
from otel_arthur.collector.request import Request, end_to_end
from otel_arthur.collector.signals import SIGNALS, Signal

_logger = logging.getLogger(__name__)

Export = Callable[[Request], Awaitable[Reply]]
_CODES = {code.value[0]: code for code in grpc.StatusCode}


class GRPCReceiver:
    """An OTLP/gRPC server that takes messages as bytes, so that the sender's own can be handed on."""

    def __init__(self, receiver: Receiver, limits: Limits, admission: Admission, export: Export) -> None:
        self._receiver = receiver
        self._limits = limits
        self._admission = admission
        self._export = export
        self._server: grpc.aio.Server | None = None

    async def start(self) -> str:
        """Listen; returns the address. Raises OSError where it cannot be had."""
        self._server = grpc.aio.server(
            options=(
                # Holds for the message both as sent and as decompressed: gRPC stops inflating there.
                ("grpc.max_receive_message_length", self._limits.max_request_bytes),
                ("grpc.max_concurrent_streams", 100),
                # Without this two processes could share the port, and each would get half.
                ("grpc.so_reuseport", 0),
                ("grpc.keepalive_time_ms", 60_000),
                ("grpc.http2.min_ping_interval_without_data_ms", 10_000),
            )
        )
        self._server.add_generic_rpc_handlers(
            tuple(
                grpc.method_handlers_generic_handler(signal.service, {"Export": self._method(signal)})
                for signal in SIGNALS
            )
        )
        address = str(self._receiver.address)
        try:
            if self._receiver.tls is None:
                port = self._server.add_insecure_port(address)
            else:
                port = self._server.add_secure_port(address, _credentials(self._receiver.tls))
        except RuntimeError as error:
            raise OSError(f"cannot listen on {address}: {str(error)[:200]}") from None
        if port == 0:
            raise OSError(f"cannot listen on {address}")
        await self._server.start()
        host = self._receiver.address.host
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"

    async def stop(self, seconds: float) -> None:
        """Take no more calls and wait for those under way, at most so long."""
        if self._server is not None:
            await self._server.stop(seconds)

    def _method(self, signal: Signal) -> grpc.RpcMethodHandler[Any, Any]:
        # On the wire a unary call is a stream of one message. IntakeResult as a stream, the handler starts
        # when the headers are there: who may not come in is refused before the message is read.
        async def export(messages: Any, context: grpc.aio.ServicerContext[Any, Any]) -> bytes:
            answer = await self._answer(signal, messages, context)
            if answer.code == replies.OK:
                return answer.response
            await _abort(context, answer)
            return b""

        return grpc.stream_unary_rpc_method_handler(export)

    async def _answer(self, signal: Signal, messages: Any, context: Any) -> Reply:
        metadata: list[tuple[str, str | bytes]] = [
            (name, value) for name, value in context.invocation_metadata() or ()
        ]
        token = self._receiver.bearer_token
        if not is_authorized(
            next((value for name, value in metadata if name == "authorization"), None), token
        ):
            return UNAUTHENTICATED
        if self._admission.is_full:
            return self._admission.refusal()
        with self._admission.request() as hold:
            try:
                message = await asyncio.wait_for(context.read(), self._limits.request_timeout)
            except (asyncio.TimeoutError, TimeoutError):
                return Reply(replies.DEADLINE_EXCEEDED, "the request did not arrive in time")
            if not isinstance(message, bytes):  # grpc.aio.EOF
                return replies.bad_data("the call holds no message")
            hold.hold(len(message))
            headers, hops = end_to_end(metadata, ("authorization",) if token else ())
            try:
                return await self._export(Request(signal, "grpc", message, headers=headers, hops=hops))
            except asyncio.CancelledError:
                raise
            except Exception as error:
                _logger.exception("a request failed", exc_info=error)
                return Reply(replies.INTERNAL, "internal error")


async def _abort(context: Any, answer: Reply) -> None:
    metadata = (("grpc-status-details-bin", answer.details or answer.status_message().SerializeToString()),)
    await context.abort(_CODES.get(answer.code, grpc.StatusCode.UNKNOWN), answer.message, metadata)


def _credentials(tls: ServerTLS) -> grpc.ServerCredentials:
    pair = (tls.key_file.read_bytes(), tls.cert_file.read_bytes())
    authorities = tls.client_ca_file.read_bytes() if tls.client_ca_file else None
    return grpc.ssl_server_credentials([pair], authorities, require_client_auth=authorities is not None)
