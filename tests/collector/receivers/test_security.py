"""Who may come in, what is held at most, and who may take how long."""

from __future__ import annotations

import contextlib
import shutil
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
import requests
from google.rpc import status_pb2  # pyright: ignore[reportMissingTypeStubs]

from tests.support.processes.collectors import ArthurCollector
from tests.support.processes.running import finished
from tests.support.servers import certificates
from tests.support.servers.next_hops import HTTPServerBehind
from tests.support.spans.otlp_requests import METHODS, plain_request
from tests.support.waiting import PATIENCE, eventually

PROTOBUF = {"Content-Type": "application/x-protobuf"}
BODY = plain_request().SerializeToString()
Start = Callable[..., ArthurCollector]


@pytest.fixture
def certificate(tmp_path: Path) -> certificates.Certificate:
    made = certificates.self_signed(tmp_path)
    if made is None:
        pytest.skip("openssl is not installed")
    return made


def test_bearer_tokens(collector: Start) -> None:
    token = "{endpoint: '127.0.0.1:0', auth: {bearer_token: '${env:KEY}'}}"
    with HTTPServerBehind() as behind:
        ours = collector(
            receivers=f"{{otlp: {{grpc: {token}, http: {token}}}}}", forward=f"{{endpoint: '{behind.url}'}}"
        )
        key = ours.environment["KEY"]
        url = f"{ours.http}/v1/traces"
        for header in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": key}):
            response = requests.post(url, data=BODY, headers={**PROTOBUF, **header}, timeout=PATIENCE)
            assert response.status_code == 401
            assert response.headers["WWW-Authenticate"] == "Bearer"
        right = {"Authorization": f"Bearer {key}"}
        assert (
            requests.post(url, data=BODY, headers={**PROTOBUF, **right}, timeout=PATIENCE).status_code == 200
        )
        with grpc.insecure_channel(ours.grpc) as channel:
            call = channel.unary_unary(METHODS["traces"])
            with pytest.raises(grpc.RpcError) as error:
                call(BODY, timeout=PATIENCE)
            assert error.value.code() is grpc.StatusCode.UNAUTHENTICATED
            call(BODY, metadata=(("authorization", f"Bearer {key}"),), timeout=PATIENCE)
        # The token was for us: it is not handed on.
        assert [got.headers.get("authorization") for got in behind.got] == [None, None]


def test_tls_and_client_certificates(collector: Start, certificate: certificates.Certificate) -> None:
    tls = f"cert_file: '{certificate.path}', key_file: '{certificate.key}'"
    server = f"{{endpoint: '127.0.0.1:0', tls: {{{tls}}}}}"
    mutual = f"{{endpoint: '127.0.0.1:0', tls: {{{tls}, client_ca_file: '{certificate.path}'}}}}"
    plain = collector(receivers=f"{{otlp: {{grpc: {server}, http: {server}}}}}")
    strict = collector(name="strict", receivers=f"{{otlp: {{grpc: {mutual}, http: {mutual}}}}}")

    def post(ours: ArthurCollector, **arguments: Any) -> int:
        url = ours.http.replace("http:", "https:") + "/v1/traces"
        return requests.post(
            url, data=BODY, headers=PROTOBUF, verify=str(certificate.path), timeout=PATIENCE, **arguments
        ).status_code

    pair = (str(certificate.path), str(certificate.key))
    assert post(plain) == 200
    assert post(strict, cert=pair) == 200
    with pytest.raises(requests.ConnectionError):
        post(strict)
    authority = certificate.path.read_bytes()
    anonymous = grpc.ssl_channel_credentials(authority)
    known = grpc.ssl_channel_credentials(authority, certificate.key.read_bytes(), authority)
    assert over_grpc(plain, anonymous) is grpc.StatusCode.OK
    assert over_grpc(strict, known) is grpc.StatusCode.OK
    assert over_grpc(strict, anonymous) is grpc.StatusCode.UNAVAILABLE


def over_grpc(ours: ArthurCollector, credentials: grpc.ChannelCredentials) -> grpc.StatusCode:
    with grpc.secure_channel(ours.grpc, credentials) as channel:
        try:
            channel.unary_unary(METHODS["traces"])(BODY, timeout=PATIENCE)
        except grpc.RpcError as error:
            return error.code()
    return grpc.StatusCode.OK


def test_tls_to_the_next_hop(collector: Start, certificate: certificates.Certificate) -> None:
    with HTTPServerBehind(certificate.context) as behind:
        trusting = collector(forward=f"{{endpoint: '{behind.url}', tls: {{ca_file: '{certificate.path}'}}}}")
        wary = collector(name="wary", forward=f"{{endpoint: '{behind.url}'}}")
        url = f"{trusting.http}/v1/traces"
        assert requests.post(url, data=BODY, headers=PROTOBUF, timeout=PATIENCE).status_code == 200
        url = f"{wary.http}/v1/traces"
        assert requests.post(url, data=BODY, headers=PROTOBUF, timeout=PATIENCE).status_code == 503
        assert len(behind.got) == 1


def test_slow_senders_are_cut_off_and_others_served(collector: Start) -> None:
    ours = collector(limits="{request_timeout: 500ms, max_connections: 40}")
    host, port = ours.addresses["otlp/http"].split(":")
    head = f"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: {PROTOBUF['Content-Type']}\r\n"
    with contextlib.ExitStack() as stack:
        slow = [stack.enter_context(socket.create_connection((host, int(port)), PATIENCE)) for _ in range(30)]
        for sock in slow:
            sock.sendall(f"{head}Content-Length: 1000\r\n\r\n{'x' * 10}".encode())
        response = requests.post(f"{ours.http}/v1/traces", data=BODY, headers=PROTOBUF, timeout=PATIENCE)
        assert response.status_code == 200
        # Each gets its answer though it never sent what it announced.
        assert [sock.recv(12)[9:] for sock in slow] == [b"503"] * 30


@pytest.mark.parametrize("server", ["otlp/http", "otlp/grpc"])
def test_idle_connections_shut_nobody_out(collector: Start, server: str) -> None:
    """As many as may be are idle, and one more: the one that has been idle longest goes."""
    ours = collector(limits="{max_connections: 5}")
    host, port = ours.addresses[server].split(":")
    with contextlib.ExitStack() as stack:
        idle = [stack.enter_context(socket.create_connection((host, int(port)), PATIENCE)) for _ in range(5)]
        if server == "otlp/http":
            with requests.Session() as session:
                assert session.post(f"{ours.http}/v1/traces", BODY, headers=PROTOBUF).status_code == 200
        else:
            with grpc.insecure_channel(ours.grpc) as channel:
                assert channel.unary_unary(METHODS["traces"])(BODY, timeout=PATIENCE) == b""
        assert is_ended(idle[0], PATIENCE)
        assert not is_ended(idle[-1], 0.2)
    assert ours.metrics()['otelcol_arthur_connections_ended{reason="too many connections"}'] == 1


def is_ended(sock: socket.socket, seconds: float) -> bool:
    """Whether the other side ends a connection; HTTP/2 greets first."""
    sock.settimeout(seconds)
    try:
        while sock.recv(1000):
            pass
    except TimeoutError:
        return False
    except ConnectionError:
        pass
    return True


def test_memory_is_bounded_under_overload(collector: Start) -> None:
    """More than the limit is under way at a next hop that does not answer: new requests are told to wait."""
    release = threading.Event()
    body = plain_request(2000).SerializeToString()
    with HTTPServerBehind() as behind:
        behind.answer = lambda _got: ((release.wait(PATIENCE) and 200) or 200, PROTOBUF, b"")
        ours = collector(
            forward=f"{{endpoint: '{behind.url}', timeout: 30s}}", limits="{max_in_flight_mb: 1}"
        )
        statuses: list[int] = []

        def send() -> None:
            response = requests.post(f"{ours.http}/v1/traces", data=body, headers=PROTOBUF, timeout=PATIENCE)
            statuses.append(response.status_code)

        threads = [threading.Thread(target=send) for _ in range(20)]
        for thread in threads:
            thread.start()
        eventually(lambda: len(statuses) >= 20 - 1048576 // len(body) - 1, "what is too much refused")
        assert set(statuses) == {503}
        assert ours.metrics()["otelcol_arthur_in_flight_bytes"] < 2 * 1024 * 1024
        release.set()
        for thread in threads:
            thread.join()
        assert 200 in statuses
        assert ours.metrics()["otelcol_arthur_in_flight_bytes"] == 0


def test_loopback_unless_told_otherwise(tmp_path: Path) -> None:
    from otel_arthur.collector.configuration.sections import parse

    configuration = parse("x.yaml", "arthur: {api_key: k, models: [{model_id: m}]}", {})
    assert configuration.grpc is not None
    assert configuration.http is not None
    assert [str(r.address) for r in (configuration.grpc, configuration.http)] == [
        "127.0.0.1:4317",
        "127.0.0.1:4318",
    ]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_a_key_that_is_no_key_is_one_line(tmp_path: Path) -> None:
    import sys

    (tmp_path / "not.pem").write_text("nothing")
    path = tmp_path / "c.yaml"
    path.write_text(
        "receivers: {otlp: {http: {endpoint: '127.0.0.1:0', tls: {cert_file: not.pem, key_file: not.pem}}}}\n"
        "arthur: {api_key: k, models: [{model_id: m}]}\nspool: {directory: ./spool}\n"
    )
    done = finished([sys.executable, "-m", "otel_arthur", "collector", "--config", "c.yaml"], cwd=tmp_path)
    assert done.returncode == 1
    assert "Traceback" not in done.stderr


HEAD = (
    b"POST /v1/traces HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer sesame\r\n"
    b"Content-Type: application/x-protobuf\r\n"
)
MALFORMED = {
    "a chunk without a size": HEAD + b"Transfer-Encoding: chunked\r\n\r\nsesame\r\n\r\n",
    "a control character": HEAD + b"X-Key: sesame\x7f\r\n\r\n",
    "a header without a name": HEAD + b": sesame\r\n\r\n",
    "too many headers": HEAD + b"".join(b"X-%d: sesame\r\n" % n for n in range(500)) + b"\r\n",
    "too long a header": HEAD + b"X-Key: " + 9_000 * b"sesame" + b"\r\n\r\n",
    "another protocol": b"sesame\r\n\r\n",
}


@pytest.mark.parametrize("server", ["health", "metrics"])
def test_malformed_http_at_the_operations_server_is_not_quoted(collector: Start, server: str) -> None:
    ours = collector()
    host, _, port = ours.addresses[server].rpartition(":")
    for case, text in MALFORMED.items():
        with socket.create_connection((host, int(port)), PATIENCE) as sock:
            sock.sendall(text)
            answer = b"".join(iter(lambda sock=sock: sock.recv(65536), b""))
        assert answer.split()[1] == b"400", case
        assert b"sesame" not in answer, case
        assert b"aiohttp" not in answer, case
    ours.stop()
    assert "sesame" not in str(ours.lines)


def test_connections_that_ask_nothing_do_not_shut_the_operators_out(collector: Start) -> None:
    host, _, port = collector().addresses["health"].rpartition(":")
    with contextlib.ExitStack() as opened:
        first, *_, last = (
            opened.enter_context(socket.create_connection((host, int(port)), PATIENCE)) for _ in range(101)
        )
        with contextlib.suppress(ConnectionResetError):
            assert first.recv(1) == b""
        last.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")
        assert last.recv(65536).startswith(b"HTTP/1.1 200 ")


def test_malformed_http_gets_an_answer_of_otlp_that_tells_nothing_of_it(collector: Start) -> None:
    ours = collector()
    host, _, port = ours.addresses["otlp/http"].rpartition(":")
    for case, text in MALFORMED.items():
        with socket.create_connection((host, int(port)), PATIENCE) as sock:
            sock.sendall(text)
            answer = b"".join(iter(lambda sock=sock: sock.recv(65536), b""))
        head, _, body = answer.partition(b"\r\n\r\n")
        status, *headers = head.decode().split("\r\n")
        assert status.split()[1] == "400", case
        assert {"Content-Type: application/x-protobuf", "Server: otel-arthur"} <= set(headers), case
        said = status_pb2.Status.FromString(body)
        assert (said.code, "malformed" in said.message) == (3, True), case
        assert b"sesame" not in answer, case
        assert b"aiohttp" not in answer, case
