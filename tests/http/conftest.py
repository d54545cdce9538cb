"""A fault server, with and without a certificate that is made on the spot."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.servers.certificates import Certificate, self_signed
from tests.support.servers.fault_server import FaultServer


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
def secure(certificate: Certificate) -> Iterator[FaultServer]:
    with FaultServer(tls=certificate.context) as running:
        yield running
