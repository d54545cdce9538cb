"""Clients of gRPC that send whole requests and never take the answers: their flow control stays closed."""

from __future__ import annotations

import contextlib
import socket

import grpc
from h2.connection import H2Connection
from h2.events import Event, ResponseReceived
from h2.settings import SettingCodes

from tests.collector.receivers.test_attackers import HEADERS, Start, client
from tests.support.processes.collectors import ArthurCollector
from tests.support.spans.otlp_requests import METHODS, plain_request
from tests.support.waiting import PATIENCE

CONNECTIONS = 5
EMPTY = bytes(5)
"""A request without spans: there is nothing to do but to answer."""


def test_they_shut_nobody_out(collector: Start) -> None:
    ours = collector(limits=f"{{max_connections: {CONNECTIONS}, request_timeout: 1h}}")
    with contextlib.ExitStack() as stack:
        for _ in range(CONNECTIONS):
            stack.enter_context(untaken(ours)[0])
        with grpc.insecure_channel(ours.grpc) as channel:
            body = plain_request(20).SerializeToString()
            assert channel.unary_unary(METHODS["traces"])(body, timeout=PATIENCE) == b""
    assert ours.metrics()['otelcol_arthur_connections_ended{reason="too many connections"}'] == 1


def test_their_time_is_limited_whatever_else_they_send(collector: Start) -> None:
    ours = collector(limits="{request_timeout: 1s}")
    sock, connection = untaken(ours)
    sock.settimeout(0.1)
    with sock, contextlib.suppress(ConnectionError):
        while True:
            connection.ping(bytes(8))
            connection.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 0})
            sock.sendall(connection.data_to_send())
            with contextlib.suppress(TimeoutError):
                if not received(sock, connection):
                    break
    assert ours.metrics()['otelcol_arthur_connections_ended{reason="does not read"}'] == 1


def untaken(ours: ArthurCollector) -> tuple[socket.socket, H2Connection]:
    """A client whose answer has begun, and waits for the client."""
    sock, connection = client(ours)
    connection.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 0})
    connection.send_headers(1, HEADERS)
    connection.send_data(1, EMPTY, end_stream=True)
    # Headers need no room of flow control.
    while not any(isinstance(event, ResponseReceived) for event in received(sock, connection)):
        pass
    return sock, connection


def received(sock: socket.socket, connection: H2Connection) -> list[Event]:
    """What came, answered as HTTP/2 wants it; nothing where the server has ended the connection."""
    data = sock.recv(65536)
    events = list(connection.receive_data(data)) if data else []
    sock.sendall(connection.data_to_send())
    return events
