"""Whatever the next hop says, a sender gets an answer of OTLP that says whether to send again."""

from __future__ import annotations

import socket
from collections.abc import Callable

import grpc
import pytest
import requests

from tests.support.processes.collectors import ArthurCollector
from tests.support.servers.next_hops import GRPCServerBehind, HTTPServerBehind
from tests.support.spans.otlp_requests import METHODS, plain_request
from tests.support.waiting import PATIENCE

PROTOBUF = {"Content-Type": "application/x-protobuf"}
BODY = plain_request().SerializeToString()
Start = Callable[..., ArthurCollector]


def over_http(ours: ArthurCollector, path: str = "/v1/traces", **headers: str) -> requests.Response:
    return requests.post(f"{ours.http}{path}", BODY, headers={**PROTOBUF, **headers}, timeout=PATIENCE)


def over_grpc(ours: ArthurCollector) -> grpc.StatusCode:
    with grpc.insecure_channel(ours.grpc) as channel:
        try:
            channel.unary_unary(METHODS["traces"])(BODY, timeout=PATIENCE)
        except grpc.RpcError as error:
            return error.code()
    return grpc.StatusCode.OK


STRANGE: list[tuple[int, dict[str, str], bytes, int]] = [
    (503, {**PROTOBUF, "Retry-After": "1e400"}, b"", 503),
    (503, {**PROTOBUF, "Retry-After": "9" * 400}, b"", 503),
    (503, {**PROTOBUF, "Retry-After": "soon"}, b"", 503),
    (503, {"Content-Type": "text/html", "Retry-After": "-5"}, b"<html>", 503),
    (503, {**PROTOBUF, "Retry-After": "nan"}, b"", 503),
    (200, {"Content-Type": "text/html"}, b"<html>please log in</html>", 502),
    (200, PROTOBUF, b"<html>please log in</html>", 502),
    (200, {"Content-Type": "application/json"}, b"[", 502),
    (302, {"Location": "http://portal.example/"}, b"", 502),
    (200, PROTOBUF, bytes(5 * 1024 * 1024), 502),
    *((status, PROTOBUF, b"", 502) for status in (101, 201, 206, 299, 999)),
]


def test_strange_answers_are_retryable(collector: Start) -> None:
    with HTTPServerBehind() as behind:
        ours = collector(forward=f"{{endpoint: '{behind.url}'}}")
        for status, headers, content, told in STRANGE:
            behind.answer = lambda _got, answer=(status, headers, content): answer
            response = over_http(ours)
            assert response.status_code == told, (status, headers)
            assert 0 <= int(response.headers.get("Retry-After", "1")) <= 86400
            assert over_grpc(ours) is grpc.StatusCode.UNAVAILABLE, (status, headers)
        for status in (200, 202, 204):
            behind.answer = lambda _got, status=status: (status, PROTOBUF, b"")
            assert over_http(ours).status_code == 200
            assert over_grpc(ours) is grpc.StatusCode.OK


def test_a_large_answer_over_grpc_is_not_the_senders_fault(collector: Start) -> None:
    with GRPCServerBehind() as behind:
        behind.answer = lambda _body, _context: bytes(5 * 1024 * 1024)
        ours = collector(forward=f"{{endpoint: '{behind.url}'}}")
        assert over_http(ours).status_code == 502
        assert over_grpc(ours) is grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize("path", ["/", "/v1/traces", "/v1/traces/"])
def test_the_path_is_not_doubled(collector: Start, path: str) -> None:
    with HTTPServerBehind() as behind:
        ours = collector(forward=f"{{endpoint: '{behind.url.replace('http', 'HTTP')}{path}'}}")
        for sent in ("/v1/traces", "//v1/traces", "/v1/traces/"):
            assert over_http(ours, sent).status_code == 200
        assert {got.path for got in behind.got} == {"/v1/traces"}


def test_who_asks_before_sending_is_told_to_go_on(collector: Start) -> None:
    ours = collector()
    host, _, port = ours.addresses["otlp/http"].rpartition(":")
    head = (
        f"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: {PROTOBUF['Content-Type']}\r\n"
        f"Content-Length: {len(BODY)}\r\nExpect: 100-continue\r\nX-Long: {'x' * 30_000}\r\n\r\n"
    )
    with socket.create_connection((host, int(port)), PATIENCE) as sock:
        sock.sendall(head.encode())
        assert sock.recv(1000).startswith(b"HTTP/1.1 100 Continue\r\n\r\n")
        sock.sendall(BODY)
        assert sock.recv(1000).startswith(b"HTTP/1.1 200")


@pytest.mark.skipif(not socket.has_dualstack_ipv6(), reason="this machine has no IPv6")
def test_any_address_is_of_both_families(collector: Start) -> None:
    ours = collector(
        receivers="{otlp: {http: {endpoint: '[::]:0'}, grpc: {endpoint: '[::]:0'}}}",
        health="{endpoint: '[::]:0'}",
    )
    for name, address in ours.addresses.items():
        if name != "metrics":
            assert address.startswith("[::]:")
            for host in ("127.0.0.1", "::1"):
                port = int(address.rpartition(":")[2])
                socket.create_connection((host, port), PATIENCE).close()


def test_cors(collector: Start) -> None:
    cors = "{allowed_origins: ['https://*.example.com'], allowed_headers: [x-tenant]}"
    ours = collector(receivers=f"{{otlp: {{http: {{endpoint: '127.0.0.1:0', cors: {cors}}}}}}}")
    url = f"{ours.http}/v1/traces"
    for origin, allowed in (("https://app.example.com", True), ("https://evil.example", False)):
        asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
        preflight = requests.options(url, headers=asked, timeout=PATIENCE)
        assert preflight.status_code == (204 if allowed else 405)
        response = over_http(ours, Origin=origin)
        assert response.status_code == 200
        for one in (preflight, response):
            assert (one.headers.get("Access-Control-Allow-Origin") == origin) is allowed
    assert (
        "x-tenant"
        in requests.options(
            url,
            headers={"Origin": "https://a.example.com", "Access-Control-Request-Method": "POST"},
            timeout=PATIENCE,
        ).headers["Access-Control-Allow-Headers"]
    )


def test_off_by_default(collector: Start) -> None:
    ours = collector()
    response = over_http(ours, Origin="https://app.example.com")
    assert "Access-Control-Allow-Origin" not in response.headers
