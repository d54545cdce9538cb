"""Attackers within the limits: memory stays under the configured figure, ordinary requests are answered."""

from __future__ import annotations

import contextlib
import gzip
import socket
import threading
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import requests
from h2.config import H2Configuration
from h2.connection import H2Connection

from tests.support.processes.collectors import ArthurCollector
from tests.support.spans.otlp_requests import METHODS, llm_request, plain_request
from tests.support.waiting import PATIENCE

PROTOBUF = {"Content-Type": "application/x-protobuf"}
JSON = {"Content-Type": "application/json"}
GZIP = {"Content-Encoding": "gzip"}
MEBIBYTE = 1024 * 1024
IN_FLIGHT_MB = 64
REQUEST_MB = 16
SLACK_MB = 80
"""What a process takes beside its requests: libraries that were not loaded yet, threads, the allocator."""
Start = Callable[..., ArthurCollector]


def message(field: int, content: bytes) -> bytes:
    """A field of protobuf that holds a message."""
    size, length = len(content), b""
    while size > 0x7F:
        length += bytes([size & 0x7F | 0x80])
        size >>= 7
    return bytes([field << 3 | 2]) + length + bytes([size]) + content


def repeated(piece: bytes) -> bytes:
    """As many as fit into a request."""
    return piece * ((REQUEST_MB * MEBIBYTE - 100) // len(piece))


def empty_spans() -> bytes:
    return message(1, message(2, repeated(b"\x12\x00")))


def empty_attributes() -> bytes:
    return message(1, message(2, message(2, b"gen_ai." + repeated(b"\x4a\x00"))))


def empty_scopes() -> bytes:
    return message(1, repeated(b"\x12\x00"))


def empty_values() -> bytes:
    return message(1, message(1, message(1, message(2, message(5, repeated(b"\x0a\x00"))))))


def bombs() -> list[tuple[bytes, dict[str, str]]]:
    """Bodies and their headers: zeros, unknown fields, empty parts, lists, objects, and many members."""
    return [
        *(
            (gzip.compress(body), PROTOBUF)
            for body in (
                bytes(REQUEST_MB * MEBIBYTE),
                repeated(b"\x78\x00"),
                empty_spans(),
                empty_attributes(),
                empty_scopes(),
                empty_values(),
            )
        ),
        (gzip.compress(b'{"gen_ai.":[' + repeated(b"[],") + b"0]}"), JSON),
        (gzip.compress(b'{"resourceSpans":[' + repeated(b"{},") + b"{}]}"), JSON),
        (gzip.compress(b"") * 20_000 + gzip.compress(empty_spans()), PROTOBUF),
    ]


def resident_mb(collector: ArthurCollector, kind: str) -> float:
    status = Path(f"/proc/{collector.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(kind)) / 1024


@contextlib.contextmanager
def bounded(collector: Start) -> Iterator[ArthurCollector]:
    """A collector that does not grow beyond what its limits say while it is attacked."""
    ours = collector(
        limits=f"{{max_in_flight_mb: {IN_FLIGHT_MB}, max_request_mb: {REQUEST_MB}, request_timeout: 1h}}"
    )
    ordinary(ours)
    before = resident_mb(ours, "VmRSS")
    yield ours
    peak = resident_mb(ours, "VmHWM")
    assert peak < before + IN_FLIGHT_MB + SLACK_MB, f"{before:.0f} MB became {peak:.0f} MB"


def ordinary(ours: ArthurCollector) -> None:
    """What other senders send meanwhile, over both transports."""
    for request in (plain_request(20), llm_request(5)):
        body = request.SerializeToString()
        url = f"{ours.http}/v1/traces"
        assert requests.post(url, body, headers=PROTOBUF, timeout=PATIENCE).status_code == 200
        with grpc.insecure_channel(ours.grpc) as channel:
            assert channel.unary_unary(METHODS["traces"])(body, timeout=PATIENCE) == b""


def test_bombs(collector: Start) -> None:
    """Small on their way, and large once they are inflated or parsed: eight of each kind at once."""
    with bounded(collector) as ours:

        def attack(body: bytes, headers: dict[str, str]) -> int:
            url = f"{ours.http}/v1/traces"
            return requests.post(url, body, headers={**headers, **GZIP}, timeout=PATIENCE).status_code

        with ThreadPoolExecutor(30) as executor:
            answers = [executor.submit(attack, *bomb) for bomb in bombs() * 8]
            for _ in range(3):
                ordinary(ours)
            assert {answer.result() for answer in answers} <= {200, 400, 413, 503}


def test_bombs_over_grpc(collector: Start) -> None:
    with bounded(collector) as ours, grpc.insecure_channel(ours.grpc) as channel:
        call = channel.unary_unary(METHODS["traces"])
        futures = [
            call.future(content, compression=grpc.Compression.Gzip, timeout=PATIENCE)
            for content in [empty_spans(), empty_values()] * 10
        ]
        for _ in range(3):
            ordinary(ours)
        assert {future.code() for future in futures} <= {
            grpc.StatusCode.RESOURCE_EXHAUSTED,
            grpc.StatusCode.UNAVAILABLE,
        }


def test_bodies_that_grow_side_by_side(collector: Start) -> None:
    """150 clients send a piece of a large body each, by turns."""
    head = b"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    head += b"Content-Length: 16000000\r\n\r\n"
    with bounded(collector) as ours, contextlib.ExitStack() as opened:
        host, port = ours.http.removeprefix("http://").split(":")
        clients = [
            opened.enter_context(socket.create_connection((host, int(port)), PATIENCE)) for _ in range(150)
        ]
        for piece in [head, *[b" " * 60_000] * 30]:
            for client in clients:
                with contextlib.suppress(OSError):  # it was told to come again later
                    client.sendall(piece)
        ordinary(ours)


def test_messages_that_never_end_over_grpc(collector: Start) -> None:
    """24 clients send all of a large message but its last byte."""
    prefix = b"\0" + (REQUEST_MB * MEBIBYTE).to_bytes(4, "big")
    stop = threading.Event()
    with bounded(collector) as ours, ThreadPoolExecutor(24) as executor:
        attacks = [
            executor.submit(unfinished, ours, prefix, REQUEST_MB * MEBIBYTE - 1, stop) for _ in range(24)
        ]
        for _ in range(3):
            ordinary(ours)
        stop.set()
        for attack in attacks:
            attack.result()


def test_bodies_that_never_end_over_http(collector: Start) -> None:
    host_and_port = "127.0.0.1"
    with bounded(collector) as ours, contextlib.ExitStack() as stack:
        host_and_port, _, port = ours.addresses["otlp/http"].rpartition(":")
        head = f"POST /v1/traces HTTP/1.1\r\nHost: x\r\nContent-Type: {PROTOBUF['Content-Type']}\r\n"
        for _ in range(60):
            sock = stack.enter_context(socket.create_connection((host_and_port, int(port)), PATIENCE))
            sock.settimeout(0.5)
            with contextlib.suppress(OSError):
                sock.sendall(f"{head}Content-Length: {8 * MEBIBYTE}\r\n\r\n".encode() + bytes(2 * MEBIBYTE))
        for _ in range(3):
            ordinary(ours)


def test_streams_without_a_message(collector: Start) -> None:
    with bounded(collector) as ours, contextlib.ExitStack() as stack:
        for _ in range(100):
            sock, connection = client(ours)
            stack.callback(sock.close)
            for number in range(100):
                connection.send_headers(2 * number + 1, HEADERS)
            sock.sendall(connection.data_to_send())
        for _ in range(3):
            ordinary(ours)


def test_pings_and_resets_without_end(collector: Start) -> None:
    with bounded(collector) as ours:
        sock, connection = client(ours)
        with contextlib.suppress(OSError), sock:
            for _ in range(3000):
                for _ in range(100):
                    connection.ping(bytes(8))
                sock.sendall(connection.data_to_send())
        sock, connection = client(ours)
        with contextlib.suppress(OSError), sock:
            for number in range(5000):
                connection.send_headers(2 * number + 1, HEADERS)
                connection.reset_stream(2 * number + 1)
                sock.sendall(connection.data_to_send())
        ordinary(ours)
        ended = 'otelcol_arthur_connections_ended{reason="too many resets"}'
        assert ours.metrics()[ended] == 1


HEADERS = [
    (":method", "POST"),
    (":scheme", "http"),
    (":path", METHODS["traces"]),
    (":authority", "x"),
    ("content-type", "application/grpc"),
    ("te", "trailers"),
]


def client(ours: ArthurCollector) -> tuple[socket.socket, H2Connection]:
    """A client of gRPC that does as it likes."""
    host, _, port = ours.grpc.rpartition(":")
    connection = H2Connection(H2Configuration())
    connection.initiate_connection()
    sock = socket.create_connection((host, int(port)), PATIENCE)
    sock.sendall(connection.data_to_send())
    return sock, connection


def unfinished(ours: ArthurCollector, start: bytes, size: int, stop: threading.Event) -> None:
    """Send so many bytes of a call's message, and then nothing more."""
    sock, connection = client(ours)
    with contextlib.suppress(OSError, Exception), sock:
        connection.send_headers(1, HEADERS)
        connection.send_data(1, start)
        left = size
        sock.settimeout(5)
        while left:
            room = min(left, connection.local_flow_control_window(1), connection.max_outbound_frame_size)
            if room:
                connection.send_data(1, bytes(room))
                left -= room
                sock.sendall(connection.data_to_send())
            else:
                connection.receive_data(sock.recv(65536))
        stop.wait(PATIENCE)


def test_malformed_connections_are_counted_not_logged(collector: Start) -> None:
    ours = collector()
    for server in ("otlp/http", "otlp/grpc"):
        host, _, port = ours.addresses[server].rpartition(":")
        for garbage in (b"\x16\x03\x01 hello", b"GET / HTTP/9.9\r\n\r\n", b"SSH-2.0\r\n\r\n"):
            with socket.create_connection((host, int(port)), PATIENCE) as sock, contextlib.suppress(OSError):
                sock.sendall(garbage)
                while sock.recv(1000):
                    pass
    assert ours.metrics()['otelcol_arthur_connections_ended{reason="malformed"}'] == 6
    assert [line for line in ours.lines if line["level"] not in ("info",)] == []


def test_a_value_nested_too_deep_spoils_its_attribute_alone(
    collector: Start, account: Any, model_id: str
) -> None:
    request = llm_request(2)
    value = request.resource_spans[0].scope_spans[0].spans[0].attributes.add(key="deep").value
    value.string_value = "x"
    deep = message(5, message(1, b""))
    for _ in range(500):
        deep = message(5, message(1, deep))
    body = request.SerializeToString()
    spoiled = message(9, message(1, b"deep") + message(2, deep))
    first = request.resource_spans[0].scope_spans[0].spans[0]
    del first.attributes[-1]
    plain = first.SerializeToString()
    assert plain in request.SerializeToString()
    spans = message(2, plain + spoiled) + message(
        2, request.resource_spans[0].scope_spans[0].spans[1].SerializeToString()
    )
    body = message(1, message(2, spans))
    ours = collector()
    response = requests.post(
        f"{ours.http}/v1/traces",
        zlib.compress(body),
        headers={**PROTOBUF, "Content-Encoding": "deflate"},
        timeout=PATIENCE,
    )
    assert response.status_code == 200
    ours.stop()
    assert account.count(model_id) == 2
