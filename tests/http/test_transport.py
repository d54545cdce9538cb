"""The transport over real sockets: deadlines, TLS, proxies, forks, and who traces it."""

from __future__ import annotations

import gc
import os
import socket
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from otel_arthur.arthur.authentication import Authentication
from otel_arthur.arthur.client import V3, ArthurClient
from otel_arthur.http.encoding import encode, encode_rows
from otel_arthur.http.endpoint import base_url
from otel_arthur.http.errors import ConfigurationError, Unavailable
from otel_arthur.http.transport import Transport
from tests.support.servers.certificates import Certificate
from tests.support.servers.fault_behaviours import delay, drip, hang, never_read
from tests.support.servers.fault_exchange import Exchange
from tests.support.servers.fault_server import FaultServer
from tests.support.waiting import PATIENCE

ROW = {"partner_inference_id": "a"}


def client_of(url: str, **options: object) -> ArthurClient:
    transport = Transport(url, V3, **options)  # type: ignore[arg-type]
    return ArthurClient(transport, Authentication(api_key="k", organization_id="o"))


@pytest.mark.parametrize(
    ("endpoint", "expected"),
    [
        ("https://app.arthur.ai", "https://app.arthur.ai/api/v3"),
        (" https://app.arthur.ai/ ", "https://app.arthur.ai/api/v3"),
        ("https://app.arthur.ai/api/v3", "https://app.arthur.ai/api/v3"),
        ("https://app.arthur.ai/api/v3/", "https://app.arthur.ai/api/v3"),
        ("https://host:8443/arthur//", "https://host:8443/arthur/api/v3"),
        ("https://host/x?y=1#z", "https://host/x/api/v3"),
        ("HTTPS://Host", "https://host/api/v3"),
        ("http://localhost:8188", "http://localhost:8188/api/v3"),
        ("http://127.1.2.3", "http://127.1.2.3/api/v3"),
        ("http://[::1]:8188/", "http://[::1]:8188/api/v3"),
    ],
)
def test_endpoints(endpoint: str, expected: str) -> None:
    assert base_url(endpoint, V3) == expected


@pytest.mark.parametrize(
    "endpoint",
    [
        "",
        "app.arthur.ai",
        "ftp://host",
        "https://",
        "https://host:port",
        "https://[::1",
        "http://arthur.example",
        "http://127.0.0.1.evil.example",
        "http://localhost.evil.example",
        "http://0.0.0.0",
        "http://10.0.0.1",
    ],
)
def test_endpoints_that_cannot_be_used(endpoint: str) -> None:
    with pytest.raises(ConfigurationError):
        Transport(endpoint, V3)


@pytest.mark.parametrize(
    "endpoint", ["https://*.arthur.example", "https://a..b", "https://exa mple", f"https://{'x' * 70}.test"]
)
def test_host_names_that_cannot_be(endpoint: str) -> None:
    with pytest.raises((ConfigurationError, Unavailable)) as caught:
        client_of(endpoint).send_inferences("m", [ROW])
    assert "\n" not in str(caught.value)


def test_credentials_in_an_endpoint_are_not_repeated() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Transport("https://me:hidden@host", V3)
    assert "hidden" not in str(caught.value)


def test_plain_http_elsewhere_only_when_insecure() -> None:
    assert Transport("http://arthur.example", V3, insecure=True).url == "http://arthur.example/api/v3"


@pytest.mark.parametrize(
    "fault", [hang(), drip(0.02), drip(0.02, body_only=True), delay(60)], ids=["hang", "head", "body", "slow"]
)
def test_a_call_ends_at_its_deadline(server: FaultServer, fault: object) -> None:
    server.script(fault)  # type: ignore[arg-type]
    client = client_of(server.url, timeout=0.5)
    # Not by the clock: without the deadline this never comes back, and the test's own limit fails it.
    with pytest.raises(Unavailable, match="in time"):
        client.send_inferences("m", [ROW])
    client.close()


def test_a_refused_connection_is_told_as_that() -> None:
    with socket.socket() as nobody_listens:
        nobody_listens.bind(("127.0.0.1", 0))
        client = client_of(f"http://127.0.0.1:{nobody_listens.getsockname()[1]}")
        with pytest.raises(Unavailable, match=r"cannot be reached \(Connection refused\)"):
            client.send_inferences("m", [ROW])


def test_a_server_that_does_not_read_is_given_up(server: FaultServer) -> None:
    server.script(never_read())
    client = client_of(server.url, timeout=0.5)
    with pytest.raises(Unavailable):
        client.send_inferences("m", [{"partner_inference_id": "x" * 64_000_000}])
    client.close()


def test_a_deadline_under_tls(secure: FaultServer, certificate: Certificate) -> None:
    client = client_of(secure.url, certificate=str(certificate.path), timeout=PATIENCE)
    assert client.send_inferences("m", [{"partner_inference_id": "x" * 3_000_000}])[0].delivered
    secure.script(drip(0.02), drip(0.02, body_only=True))
    for _ in range(2):
        with pytest.raises(Unavailable, match="in time"):
            client.send_inferences("m", [ROW], timeout=0.5)
    client.close()


def test_a_call_may_be_given_less_time(server: FaultServer) -> None:
    server.always(hang())
    client = client_of(server.url, timeout=3600)
    with pytest.raises(Unavailable, match="in time"):
        client.send_inferences("m", [ROW], timeout=0.2)
    with pytest.raises(Unavailable, match="in time"):
        client.send_inferences("m", [ROW], timeout=0)
    client.close()


def test_netrc_does_not_replace_the_key(
    server: FaultServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password other\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    client = client_of(server.url)
    client.send_inferences("m", [ROW])
    client.close()
    assert server.requests[0].headers["authorization"] == "k"


def test_connections_are_reused_and_closed(server: FaultServer) -> None:
    client = client_of(server.url)
    for _ in range(5):
        client.send_inferences("m", [ROW])
    assert server.connections == 1
    client.close()
    client.close()
    assert client.send_inferences("m", [ROW])[0].delivered
    client.close()
    gc.collect()  # a socket left open would be a ResourceWarning, and that an error


def test_many_threads_share_a_client(server: FaultServer, caplog: pytest.LogCaptureFixture) -> None:
    client = client_of(server.url)
    names = [str(n) for n in range(200)]
    with ThreadPoolExecutor(16) as threads:
        results = list(
            threads.map(lambda n: client.send_inferences("m", [{"partner_inference_id": n}]), names)
        )
    client.close()
    assert all(len(r) == 1 and r[0].delivered for r in results)
    assert sorted(server.accepted_ids) == sorted(names)
    assert caplog.messages == []


@pytest.mark.parametrize("secure", [False, True], ids=["plain", "TLS"])
def test_a_request_that_is_being_written_is_cut_by_stop(certificate: Certificate, secure: bool) -> None:
    """Its rest is not sent, however much the server reads afterwards."""
    read = threading.Event()
    received: list[int] = []

    def read_late(exchange: Exchange) -> None:
        read.wait()
        try:
            exchange.read_body()
        finally:
            received.append(len(exchange.rest))

    with FaultServer(tls=certificate.context if secure else None) as server:
        server.script(read_late)
        transport = Transport(
            server.url, V3, timeout=300, certificate=str(certificate.path) if secure else None
        )
        with ThreadPoolExecutor(1) as threads:
            call = threads.submit(transport.request, "POST", "/models/m/inferences", body=bytes(64 << 20))
            assert server.wait_for_requests(1)
            transport.stop()
            read.set()
            with pytest.raises(Unavailable):
                call.result()
        with pytest.raises(Unavailable):
            transport.request("GET", "/users/me")
        transport.close()
    assert len(server.requests) == 1
    assert received[0] < 64 << 20


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_has_connections_of_its_own(server: FaultServer) -> None:
    script = """
import os, sys
from otel_arthur.arthur.authentication import Authentication
from otel_arthur.arthur.client import V3, ArthurClient
from otel_arthur.http.transport import Transport
client = ArthurClient(Transport(sys.argv[1], V3), Authentication(api_key="k"))
send = lambda name: client.send_inferences("m", [{"partner_inference_id": name}])[0].delivered
assert send("before")
# As if another thread were logging in at the moment of the fork.
client._authentication._lock.get().acquire()
child = os.fork()
if child == 0:
    os._exit(0 if send("child") and send("child again") else 1)
client._authentication._lock.get().release()
assert os.waitpid(child, 0)[1] == 0
assert send("parent")
client.close()
"""
    subprocess.run([sys.executable, "-W", "error", "-c", script, server.url], check=True, timeout=PATIENCE)
    assert server.accepted_ids == ["before", "child", "child again", "parent"]
    assert server.connections == 2


def test_own_traffic_is_not_traced(server: FaultServer) -> None:
    """The suppression is in force on the sending thread, and is over afterwards."""
    from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY, get_value
    from opentelemetry.instrumentation.utils import (
        is_http_instrumentation_enabled,
        is_instrumentation_enabled,
    )
    from urllib3.connectionpool import HTTPConnectionPool

    seen: list[tuple[bool, bool, object]] = []
    original = HTTPConnectionPool.urlopen

    def watched(*args: object, **options: object) -> object:
        seen.append(
            (
                is_instrumentation_enabled(),
                is_http_instrumentation_enabled(),
                get_value(_SUPPRESS_INSTRUMENTATION_KEY),
            )
        )
        return original(*args, **options)  # type: ignore[arg-type]

    client = client_of(server.url)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(HTTPConnectionPool, "urlopen", watched)
        thread = threading.Thread(target=client.send_inferences, args=("m", [ROW]))
        thread.start()
        thread.join()
        client.send_inferences("m", [ROW])
    client.close()
    assert seen == [(False, False, True)] * 2
    assert is_http_instrumentation_enabled()


def test_importing_the_room_does_not_import_requests() -> None:
    heavy = "{'requests', 'urllib3', 'tenacity'}"
    code = f"import sys, otel_arthur.arthur; sys.exit(bool({heavy} & set(sys.modules)))"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=PATIENCE)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(codec=None)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(json_values)
def test_whatever_a_model_wrote_can_be_encoded(value: object) -> None:
    decoded = orjson.loads(encode({"v": value}))
    assert set(decoded) == {"v"}
    if isinstance(value, str) and value.isascii():
        assert decoded["v"] == value.replace("\0", "\ufffd")
    assert orjson.loads(encode_rows([encode({"v": value}), {"v": value}])) == [decoded, decoded]


def test_nul_reaches_no_receiver() -> None:
    """An escape that a text holds word for word is no NUL."""
    value = {"a\0": ["x\0y", {"b": "\\u0000"}]}
    assert orjson.loads(encode(value)) == {"a\ufffd": ["x\ufffdy", {"b": "\\u0000"}]}
