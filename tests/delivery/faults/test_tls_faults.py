"""TLS that fails, in each way: all waits in the spool, one line says why, and it arrives once mended."""

from __future__ import annotations

import logging
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from otel_arthur.delivery import Delivery
from tests.support.servers import certificates
from tests.support.servers.faces import Face
from tests.support.servers.fault_proxy import ConnectProxy
from tests.support.servers.fault_server import FaultServer
from tests.support.spans.llm_calls import llm_calls
from tests.support.waiting import PATIENCE, eventually


class Handshake:
    """In an `ssl.SSLContext`'s place: what the server does instead of a handshake."""

    def __init__(self, fault: Callable[[socket.socket, threading.Event], None]) -> None:
        self._fault = fault
        self.over = threading.Event()

    def wrap_socket(self, sock: socket.socket, *, server_side: bool) -> ssl.SSLSocket:
        self._fault(sock, self.over)
        raise ConnectionError("no handshake")


def says_nothing(sock: socket.socket, over: threading.Event) -> None:
    while not over.is_set() and sock.recv(65536):
        pass


def drips(sock: socket.socket, over: threading.Event) -> None:
    """A record of a handshake that never ends, a byte now and then."""
    sock.sendall(b"\x16\x03\x03\x40\x00")
    while not over.wait(0.05):
        sock.sendall(b"\x02")


def resets(sock: socket.socket, over: threading.Event) -> None:
    sock.recv(1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def speaks_no_tls(sock: socket.socket, over: threading.Event) -> None:
    sock.recv(65536)
    sock.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


HANDSHAKES = {"hangs": says_nothing, "drips": drips, "resets": resets, "no TLS": speaks_no_tls}
FAULTS = {
    "another authority": "cannot be verified (self",
    "expired": "cannot be verified (certificate has expired)",
    "another name": "cannot be verified (IP address mismatch",
    "hangs": "did not answer in time",
    "drips": "did not answer in time",
    "resets": "cannot be reached (Connection reset by peer)",
    "no TLS": "does not speak TLS as it should (wrong version number)",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, certificates.Certificate]:
    folder = tmp_path_factory.mktemp("tls")
    wanted: dict[str, dict[str, Any]] = {
        "good": {},
        "another authority": {},
        "expired": {"expired": True},
        "another name": {"names": "IP:127.0.0.9,DNS:other.test"},
    }
    found = {
        name: certificates.self_signed(folder / name.replace(" ", "-"), **how) for name, how in wanted.items()
    }
    if found["good"] is None:
        pytest.skip("the openssl command is not installed")
    return {name: one for name, one in found.items() if one is not None}


@pytest.fixture
def trusted(made: dict[str, certificates.Certificate], tmp_path: Path) -> str:
    """All of them are authorities but one, so that each fault is the only one."""
    path = tmp_path / "authorities.pem"
    path.write_text("".join(made[name].path.read_text() for name in ("good", "expired", "another name")))
    return str(path)


@pytest.fixture
def faulty(
    made: dict[str, certificates.Certificate], request: pytest.FixtureRequest
) -> Iterator[FaultServer]:
    handshake = Handshake(HANDSHAKES[request.param]) if request.param in HANDSHAKES else None
    shown: Any = handshake or made[request.param].context
    with FaultServer(tls=shown) as server:
        yield server
        if handshake is not None:
            handshake.over.set()


@pytest.mark.parametrize(("faulty", "said"), FAULTS.items(), ids=FAULTS.keys(), indirect=["faulty"])
def test_it_waits_and_arrives_once_mended(
    faulty: FaultServer,
    made: dict[str, certificates.Certificate],
    trusted: str,
    face: Face,
    deliver: Callable[..., Delivery],
    caplog: pytest.LogCaptureFixture,
    said: str,
) -> None:
    delivery = deliver(**face.arguments(faulty.url, trusted), timeout=1.0)
    calls = llm_calls(20)
    assert delivery.submit(calls).spooled == 20

    def lines() -> list[str]:
        return [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]

    eventually(lines, "it is said")
    assert not delivery.flush(1)
    assert (delivery.counts().left, faulty.requests) == (20, [])
    (line,) = lines()
    assert said in line
    assert "\n" not in line
    assert f"{face.rows} in" in line

    faulty.mend(made["good"].context)
    eventually(lambda: delivery.flush(5), "a flush that sees all ended")
    assert sorted(faulty.accepted_ids) == sorted(face.ids_of(calls))


def test_an_authority_that_is_trusted_later_is_for_the_next_process(
    made: dict[str, certificates.Certificate], face: Face, deliver: Callable[..., Delivery]
) -> None:
    """The other way to mend it: the server stays as it is, and its authority becomes configured."""
    with FaultServer(tls=made["good"].context) as server:
        first = deliver(**face.arguments(server.url))
        calls = llm_calls(5)
        first.submit(calls)
        assert not first.shutdown(5)
        second = deliver(**face.arguments(server.url, str(made["good"].path)))
        second.start()
        assert second.flush(PATIENCE)
        assert sorted(server.accepted_ids) == sorted(face.ids_of(calls))


def test_a_proxy_that_refuses_holds_all_until_it_lets_through(
    made: dict[str, certificates.Certificate],
    face: Face,
    deliver: Callable[..., Delivery],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for name in ("https_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with FaultServer(tls=made["good"].context) as server:
        with ConnectProxy(server.port, answer=b"407 Proxy Authentication Required") as refusing:
            monkeypatch.setenv("HTTPS_PROXY", refusing.url)
            delivery = deliver(**face.arguments("https://arthur.test", str(made["good"].path)))
            calls = llm_calls(20)
            delivery.submit(calls)
            eventually(lambda: "cannot be reached through the proxy" in caplog.text, "it is said")
            assert not delivery.flush(1)
            assert f"{face.rows} in" in caplog.text
            assert "proxysecret" not in caplog.text
        with ConnectProxy(server.port) as proxy:
            monkeypatch.setenv("HTTPS_PROXY", proxy.url)
            eventually(lambda: delivery.flush(5), "all is sent")
        assert sorted(server.accepted_ids) == sorted(face.ids_of(calls))
