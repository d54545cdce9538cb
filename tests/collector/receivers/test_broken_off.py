"""HTTP/1.1 clients that break off: within a body that they cut into chunks, or after a whole request."""

from __future__ import annotations

import socket
from collections.abc import Callable

import pytest
from google.rpc import status_pb2

from tests.support.processes.collectors import ArthurCollector
from tests.support.spans.otlp_requests import plain_request
from tests.support.waiting import PATIENCE

Start = Callable[..., ArthurCollector]
HEAD = b"POST /v1/traces HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-protobuf\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n"
BODY = plain_request(2).SerializeToString()
WHOLE = HEAD + b"Content-Length: %d\r\n\r\n" % len(BODY) + BODY


def connected(ours: ArthurCollector) -> socket.socket:
    host, _, port = ours.addresses["otlp/http"].rpartition(":")
    return socket.create_connection((host, int(port)), PATIENCE)


def to_the_end(sock: socket.socket) -> bytes:
    return b"".join(iter(lambda: sock.recv(65536), b""))


@pytest.mark.parametrize("chunks", [b"sesame\r\n", b"3\r\nabc\r\nsesame\r\n", b"3\r\nabcsesame\r\n"])
def test_a_malformed_chunk_is_answered_at_once(collector: Start, chunks: bytes) -> None:
    """Not by the clock: the request's own time is as long as the test's."""
    ours = collector(limits="{request_timeout: 1h}")
    with connected(ours) as sock:
        sock.sendall(CHUNKED)
        # The server has read the headers, and waits for the body.
        assert sock.recv(65536).startswith(b"HTTP/1.1 100 ")
        sock.sendall(chunks)
        head, _, body = to_the_end(sock).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 400 ")
    assert b"Connection: close" in head
    assert status_pb2.Status.FromString(body).code == 3
    assert b"sesame" not in body
    assert ours.metrics()['otelcol_arthur_connections_ended{reason="malformed"}'] == 1


@pytest.mark.parametrize("requests", [1, 3])
def test_a_client_that_sends_no_more_gets_its_answers(collector: Start, requests: int) -> None:
    with connected(collector()) as sock:
        sock.sendall(WHOLE * requests)
        sock.shutdown(socket.SHUT_WR)
        assert to_the_end(sock).count(b"HTTP/1.1 200 ") == requests


def test_half_a_request_has_no_answer(collector: Start) -> None:
    """Not a mend: the rest will never come, so the connection is closed."""
    with connected(collector()) as sock:
        sock.sendall(WHOLE[:-1])
        sock.shutdown(socket.SHUT_WR)
        assert to_the_end(sock) == b""
