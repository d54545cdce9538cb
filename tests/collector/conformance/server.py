"""The server that is examined, the table of rules, and what an answer must be."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import grpc
import orjson
import requests
from google.protobuf.message import DecodeError
from google.rpc import status_pb2
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from tests.support.spans.otlp_requests import (
    METHODS,
    plain_request,
)
from tests.support.waiting import PATIENCE

PROTOBUF, JSON = "application/x-protobuf", "application/json"


@dataclass
class Server:
    """What is examined."""

    http: str
    grpc: str
    max_request_bytes: int = 64 * 1024 * 1024

    def post(self, body: bytes, content_type: str = PROTOBUF, signal: str = "traces", **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return requests.post(
            f"{self.http}/v1/{signal}",
            data=body,
            headers={"Content-Type": content_type, **named},
            timeout=PATIENCE,
        )

    def call(self, body: bytes, signal: str = "traces", compression: Any = None) -> bytes:
        options = [("grpc.max_send_message_length", -1), ("grpc.use_local_subchannel_pool", 1)]
        with grpc.insecure_channel(self.grpc, options=options) as channel:
            return channel.unary_unary(METHODS.get(signal, METHODS["traces"] + signal))(
                body, timeout=PATIENCE, compression=compression
            )

    def refusal(self, body: bytes, signal: str = "traces", compression: Any = None) -> Any:
        """The error that a call ends with, or None."""
        try:
            self.call(body, signal, compression)
        except grpc.RpcError as error:
            return error
        return None

    def code(self, body: bytes) -> grpc.StatusCode:
        refusal = self.refusal(body)
        return grpc.StatusCode.OK if refusal is None else refusal.code()


RULES: dict[str, Callable[[Server], None]] = {}


def rule(check: Callable[[Server], None]) -> Callable[[Server], None]:
    """A check; its name is the rule's."""
    RULES[check.__name__] = check
    return check


def is_success(response: Any, content_type: str = PROTOBUF) -> None:
    assert response.status_code == 200, f"status {response.status_code}: {response.content[:200]!r}"
    assert response.headers["Content-Type"].partition(";")[0] == content_type, response.headers
    if content_type == JSON:
        assert not orjson.loads(response.content).get("partialSuccess"), response.content
    else:
        assert is_full_success(response.content), "something was rejected"


def is_full_success(response: bytes) -> bool:
    """Nothing was rejected; an empty message says so too, though it should not be there."""
    partial = ExportTraceServiceResponse.FromString(response).partial_success
    return not partial.rejected_spans and not partial.error_message


def is_error(response: Any, status: int, content_type: str = PROTOBUF) -> None:
    assert response.status_code == status, f"status {response.status_code}, not {status}"
    assert response.headers.get("Content-Type", "").partition(";")[0] == content_type, (
        f"an error of type {response.headers.get('Content-Type')}, not {content_type}"
    )
    if content_type == JSON:
        assert orjson.loads(response.content).get("message"), "no message in google.rpc.Status"
    else:
        try:
            assert status_pb2.Status.FromString(response.content).message, "no message in google.rpc.Status"
        except DecodeError:
            raise AssertionError("the body is not google.rpc.Status") from None


def gzip_bomb(size: int) -> bytes:
    """More than `size` bytes of zeros, in a thousandth of that."""
    deflater = zlib.compressobj(9, zlib.DEFLATED, 31)
    piece = bytes(1 << 20)
    parts = [deflater.compress(piece) for _ in range(size // len(piece) + 1)]
    return b"".join([*parts, deflater.flush()])


def million_attributes() -> bytes:
    """One span that looks like an LLM call's, with a million attributes."""
    request = plain_request()
    span = request.resource_spans[0].scope_spans[0].spans[0]
    span.attributes.add(key="gen_ai.operation.name").value.string_value = "chat"
    attribute = ExportTraceServiceRequest()
    filler = attribute.resource_spans.add().scope_spans.add().spans.add()
    filler.attributes.add(key="k").value.int_value = 1
    span.MergeFromString(filler.SerializeToString() * 1_000_000)
    return request.SerializeToString()
