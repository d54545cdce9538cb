"""A fault server, and a client for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from otel_arthur.arthur.authentication import Authentication
from otel_arthur.arthur.client import V3, ArthurClient
from otel_arthur.http.transport import Transport
from tests.support.servers.fault_server import FaultServer

API_KEY = "key-that-must-not-leak"


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        yield running


@pytest.fixture
def client(server: FaultServer) -> Iterator[ArthurClient]:
    made = ArthurClient(Transport(server.url, V3), Authentication(api_key=API_KEY))
    yield made
    made.close()
