"""A fault server, a client for it, and certificates made on the spot."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from otel_arthur.arthur.authentication import Authentication
from otel_arthur.arthur.client import V3, ArthurClient
from otel_arthur.http.transport import Transport
from tests.support.servers.certificates import Certificate, self_signed
from tests.support.servers.fault_server import FaultServer

API_KEY = "key-that-must-not-leak"


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    made = self_signed(tmp_path_factory.mktemp("tls"))
    if made is None:
        pytest.skip("the openssl command is not installed")
    return made


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        yield running


@pytest.fixture
def client(server: FaultServer) -> Iterator[ArthurClient]:
    made = ArthurClient(Transport(server.url, V3), Authentication(api_key=API_KEY))
    yield made
    made.close()


@pytest.fixture
def secure(certificate: Certificate) -> Iterator[FaultServer]:
    with FaultServer(tls=certificate.context) as running:
        yield running
