"""Every rule of an OTLP server, as checks that can be pointed at any server.

    python -m tests.collector.conformance --http http://127.0.0.1:4318 --grpc 127.0.0.1:4317

prints one line for each rule, and ends with 1 if one is broken. The rules are those of
opentelemetry-proto ``docs/specification.md``; "practice" marks what stock Collectors do besides.
"""

from __future__ import annotations

import argparse
import gzip
import socket
import sys
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import grpc
import orjson
import requests
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import DecodeError
from google.rpc import status_pb2
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from otel_arthur.collector.otlp.inflating import zstd
from tests.support.spans.otlp_requests import (
    METHODS,
    log_request,
    metric_request,
    plain_request,
    status_details,
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


def otlp_json(request: Any) -> dict[str, Any]:
    """Our spans as OTLP/JSON: hexadecimal ids, enums as integers."""
    document = MessageToDict(request, use_integers_for_enums=True)
    spans = [span for r in request.resource_spans for s in r.scope_spans for span in s.spans]
    written = [span for r in document["resourceSpans"] for s in r["scopeSpans"] for span in s["spans"]]
    for span, entry in zip(spans, written, strict=True):
        entry["traceId"], entry["spanId"] = span.trace_id.hex(), span.span_id.hex()
    return document


@rule
def http_protobuf_traces(server: Server) -> None:
    is_success(server.post(plain_request().SerializeToString()))


@rule
def http_full_success_leaves_partial_success_unset(server: Server) -> None:
    content = server.post(plain_request().SerializeToString()).content
    assert not ExportTraceServiceResponse.FromString(content).HasField("partial_success")


@rule
def http_protobuf_logs(server: Server) -> None:
    is_success(server.post(log_request().SerializeToString(), signal="logs"))


@rule
def http_protobuf_metrics(server: Server) -> None:
    is_success(server.post(metric_request().SerializeToString(), signal="metrics"))


@rule
def http_json(server: Server) -> None:
    is_success(server.post(orjson.dumps(otlp_json(plain_request())), JSON), JSON)


@rule
def http_json_with_charset(server: Server) -> None:
    response = server.post(orjson.dumps(otlp_json(plain_request())), f"{JSON}; charset=utf-8")
    is_success(response, JSON)


@rule
def http_json_upper_case_ids(server: Server) -> None:
    document = otlp_json(plain_request())
    span = document["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    span["traceId"], span["spanId"] = span["traceId"].upper(), span["spanId"].upper()
    is_success(server.post(orjson.dumps(document), JSON), JSON)


@rule
def http_json_unknown_fields_ignored(server: Server) -> None:
    document = otlp_json(plain_request())
    document["notInTheSpecification"] = {"a": [1]}
    document["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["tomorrow"] = 1
    is_success(server.post(orjson.dumps(document), JSON), JSON)


@rule
def http_json_64_bit_integers_as_numbers(server: Server) -> None:
    document = otlp_json(plain_request())
    span = document["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    span["startTimeUnixNano"] = int(span["startTimeUnixNano"])
    is_success(server.post(orjson.dumps(document), JSON), JSON)


@rule
def http_empty_protobuf_request_succeeds(server: Server) -> None:
    is_success(server.post(b""))


@rule
def http_empty_json_request_succeeds(server: Server) -> None:
    is_success(server.post(b"{}", JSON), JSON)


@rule
def http_gzip(server: Server) -> None:
    is_success(server.post(gzip.compress(plain_request().SerializeToString()), Content_Encoding="gzip"))


@rule
def http_gzip_json(server: Server) -> None:
    body = gzip.compress(orjson.dumps(otlp_json(plain_request())))
    is_success(server.post(body, JSON, Content_Encoding="gzip"), JSON)


@rule
def http_zstd_practice(server: Server) -> None:
    body = zstd.compress(plain_request().SerializeToString())
    is_success(server.post(body, Content_Encoding="zstd"))


@rule
def http_deflate_practice(server: Server) -> None:
    is_success(server.post(zlib.compress(plain_request().SerializeToString()), Content_Encoding="deflate"))


@rule
def http_chunked(server: Server) -> None:
    body = plain_request().SerializeToString()
    response = requests.post(
        f"{server.http}/v1/traces",
        data=iter([body[:10], body[10:]]),
        headers={"Content-Type": PROTOBUF},
        timeout=PATIENCE,
    )
    is_success(response)


@rule
def http_other_content_type_is_415(server: Server) -> None:
    assert server.post(b"<xml/>", "text/xml").status_code == 415


@rule
def http_other_method_is_405(server: Server) -> None:
    assert requests.get(f"{server.http}/v1/traces", timeout=PATIENCE).status_code == 405
    assert requests.put(f"{server.http}/v1/traces", data=b"", timeout=PATIENCE).status_code == 405


@rule
def http_other_path_is_404(server: Server) -> None:
    assert server.post(b"", signal="nonsense").status_code == 404


@rule
def http_bad_protobuf_is_400_with_status(server: Server) -> None:
    is_error(server.post(b"\xff\xff not protobuf"), 400)


@rule
def http_truncated_protobuf_is_400_with_status(server: Server) -> None:
    is_error(server.post(plain_request().SerializeToString()[:-3]), 400)


@rule
def http_bad_json_is_400_with_status(server: Server) -> None:
    is_error(server.post(b'{"resourceSpans": [', JSON), 400, JSON)


@rule
def http_bad_json_id_is_400(server: Server) -> None:
    document = otlp_json(plain_request())
    document["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["traceId"] = "no hexadecimal digits"
    is_error(server.post(orjson.dumps(document), JSON), 400, JSON)


@rule
def http_not_gzip_is_400(server: Server) -> None:
    is_error(server.post(b"not gzip at all", Content_Encoding="gzip"), 400)


@rule
def http_truncated_gzip_is_400(server: Server) -> None:
    body = gzip.compress(plain_request(50).SerializeToString())
    is_error(server.post(body[:-20], Content_Encoding="gzip"), 400)


@rule
def http_unknown_compression_is_refused(server: Server) -> None:
    response = server.post(plain_request().SerializeToString(), Content_Encoding="rot13")
    assert response.status_code in (400, 415), response.status_code


@rule
def http_id_of_wrong_length_is_refused_or_rejected(server: Server) -> None:
    request = plain_request(2)
    request.resource_spans[0].scope_spans[0].spans[0].trace_id = b"short"
    response = server.post(request.SerializeToString())
    if response.status_code == 200:
        answer = ExportTraceServiceResponse.FromString(response.content)
        assert answer.partial_success.rejected_spans == 1, answer
        assert answer.partial_success.error_message
    else:
        is_error(response, 400)


@rule
def http_gzip_bomb_is_413(server: Server) -> None:
    is_error(server.post(gzip_bomb(server.max_request_bytes), Content_Encoding="gzip"), 413)


@rule
def http_zstd_bomb_is_413_practice(server: Server) -> None:
    body = zstd.compress(bytes(server.max_request_bytes + 1024))
    is_error(server.post(body, Content_Encoding="zstd"), 413)


@rule
def http_large_body_is_413(server: Server) -> None:
    # What is not read may be cut off with the connection: a client sees the answer or the cut.
    host, port = urlsplit(server.http).netloc.split(":")
    with socket.create_connection((host, int(port)), PATIENCE) as sock:
        head = f"POST /v1/traces HTTP/1.1\r\nHost: {host}\r\nContent-Type: {PROTOBUF}\r\n"
        sock.sendall(f"{head}Content-Length: {server.max_request_bytes + 1}\r\n\r\n".encode())
        try:
            piece = bytes(1 << 20)
            for _ in range(server.max_request_bytes // len(piece)):
                sock.sendall(piece)
            sock.sendall(b"\0")
        except OSError:
            pass
        try:
            answer = sock.recv(64)
        except OSError:
            answer = b""
    assert answer == b"" or b" 413 " in answer.split(b"\r\n")[0] + b" ", answer


@rule
def http_a_million_attributes_end_well(server: Server) -> None:
    response = server.post(million_attributes())
    assert response.status_code in (200, 400, 413), response.status_code
    is_success(server.post(plain_request().SerializeToString()))


@rule
def http_next_request_after_nonsense_on_one_connection(server: Server) -> None:
    with requests.Session() as session:
        for body, status in ((b"\xff\xff", 400), (plain_request().SerializeToString(), 200)):
            response = session.post(
                f"{server.http}/v1/traces", data=body, headers={"Content-Type": PROTOBUF}, timeout=PATIENCE
            )
            assert response.status_code == status


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


def broken_rules(server: Server) -> dict[str, str]:
    """Rule -> what was found instead, for the rules that a server breaks."""
    broken: dict[str, str] = {}
    for name, check in RULES.items():
        try:
            check(server)
        except (AssertionError, grpc.RpcError, requests.RequestException, DecodeError) as error:
            broken[name] = " ".join(str(error).split())[:200] or type(error).__name__
    return broken


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--http", default="http://127.0.0.1:4318")
    parser.add_argument("--grpc", default="127.0.0.1:4317")
    parser.add_argument("--max-request-mb", type=int, default=64)
    arguments = parser.parse_args()
    broken = broken_rules(Server(arguments.http, arguments.grpc, arguments.max_request_mb * 1024 * 1024))
    for name in RULES:
        print(f"{'BROKEN' if name in broken else 'ok':7} {name.replace('_', ' ')}  {broken.get(name, '')}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
