"""Clients of the gRPC receiver that speak HTTP/2 and no gRPC, or a gRPC of other messages."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from h2.events import ResponseReceived

from tests.collector.receivers.test_attackers import HEADERS, client
from tests.collector.receivers.test_untaken_answers import EMPTY, received
from tests.support.processes.collectors import ArthurCollector


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/grpc", "200"),
        ("application/grpc+proto", "200"),
        ("application/grpc;charset=utf-8", "200"),
        ("application/grpc+json", "415"),
        ("application/grpc-web", "415"),
        ("application/x-protobuf", "415"),
        (None, "415"),
    ],
)
def test_the_content_type_is_that_of_otlp(
    collector: Callable[..., ArthurCollector], content_type: str | None, status: str
) -> None:
    headers = [(name, value) for name, value in HEADERS if name != "content-type"]
    if content_type is not None:
        headers.append(("content-type", content_type))
    assert answered(collector(), headers)[b":status"] == status.encode()


@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_a_call_is_a_post(collector: Callable[..., ArthurCollector], method: str) -> None:
    headers = [(name, method if name == ":method" else value) for name, value in HEADERS]
    answer = answered(collector(), headers)
    assert (answer[b":status"], answer[b"allow"]) == (b"405", b"POST")


def answered(ours: ArthurCollector, headers: list[tuple[str, str]]) -> dict[bytes, bytes]:
    """The headers of the answer to a call that has these headers and no content."""
    sock, connection = client(ours)
    connection.send_headers(1, headers)
    connection.send_data(1, EMPTY, end_stream=True)
    with sock:
        answers: list[ResponseReceived] = []
        while not answers:
            answers += [event for event in received(sock, connection) if isinstance(event, ResponseReceived)]
    return dict(answers[0].headers or ())
