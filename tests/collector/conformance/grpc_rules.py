"""The rules of OTLP over gRPC."""

from __future__ import annotations

import grpc
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceResponse,
)

from tests.collector.conformance.server import Server, is_full_success, rule
from tests.support.spans.otlp_requests import (
    log_request,
    metric_request,
    plain_request,
    status_details,
)


@rule
def grpc_traces_logs_metrics(server: Server) -> None:
    for signal, request in (
        ("traces", plain_request()),
        ("logs", log_request()),
        ("metrics", metric_request()),
    ):
        assert is_full_success(server.call(request.SerializeToString(), signal)), signal


@rule
def grpc_full_success_leaves_partial_success_unset(server: Server) -> None:
    content = server.call(plain_request().SerializeToString())
    assert not ExportTraceServiceResponse.FromString(content).HasField("partial_success")


@rule
def grpc_empty_request_succeeds(server: Server) -> None:
    assert is_full_success(server.call(b""))


@rule
def grpc_gzip(server: Server) -> None:
    assert is_full_success(
        server.call(plain_request(10).SerializeToString(), compression=grpc.Compression.Gzip)
    )


@rule
def grpc_deflate_practice(server: Server) -> None:
    assert is_full_success(
        server.call(plain_request(10).SerializeToString(), compression=grpc.Compression.Deflate)
    )


@rule
def grpc_bad_data_is_not_retryable(server: Server) -> None:
    code = server.code(b"\xff\xff not protobuf")
    assert code in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.INTERNAL), code


@rule
def grpc_bad_data_is_invalid_argument(server: Server) -> None:
    assert server.code(b"\xff\xff not protobuf") is grpc.StatusCode.INVALID_ARGUMENT


@rule
def grpc_batches_of_llm_spans_fit(server: Server) -> None:
    """gRPC's own default of 4 MiB is less than 512 spans with long prompts take."""
    request = plain_request(512)
    for span in request.resource_spans[0].scope_spans[0].spans:
        span.attributes.add(key="text").value.string_value = "x" * 20_000
    assert server.code(request.SerializeToString()) is grpc.StatusCode.OK


@rule
def grpc_bomb_is_resource_exhausted_without_retry_info(server: Server) -> None:
    refusal = server.refusal(bytes(server.max_request_bytes + 1024), compression=grpc.Compression.Gzip)
    assert refusal is not None, "a message beyond the limit was taken"
    assert refusal.code() is grpc.StatusCode.RESOURCE_EXHAUSTED, refusal.code()
    assert status_details(refusal) is None


@rule
def grpc_unknown_method_is_unimplemented(server: Server) -> None:
    refusal = server.refusal(b"", "nonsense")
    assert refusal is not None, "an unknown method was answered"
    assert refusal.code() is grpc.StatusCode.UNIMPLEMENTED, refusal.code()
