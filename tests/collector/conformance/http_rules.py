"""The rules of OTLP over HTTP."""

from __future__ import annotations

import gzip
import socket
import zlib
from urllib.parse import urlsplit

import orjson
import requests
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceResponse,
)

from otel_arthur.genai.otlp import zstd
from tests.collector.conformance.server import (
    JSON,
    PROTOBUF,
    Server,
    gzip_bomb,
    is_error,
    is_success,
    million_attributes,
    rule,
)
from tests.support.spans.otlp_requests import (
    log_request,
    metric_request,
    otlp_json,
    plain_request,
)
from tests.support.waiting import PATIENCE


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
