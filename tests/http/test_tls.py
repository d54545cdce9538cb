"""Certificates and proxies: what is trusted, and what is sent to whom."""

from __future__ import annotations

from pathlib import Path

import pytest

from otel_arthur.arthur.authentication import Authentication
from otel_arthur.arthur.client import V3, ArthurClient
from otel_arthur.engine.client import ENGINE
from otel_arthur.http.errors import ConfigurationError, Unavailable
from otel_arthur.http.transport import Transport
from tests.support.servers.certificates import Certificate
from tests.support.servers.fault_behaviours import drip
from tests.support.servers.fault_proxy import ConnectProxy
from tests.support.servers.fault_server import FaultServer
from tests.support.waiting import PATIENCE

ROW = {"partner_inference_id": "a"}


def client_of(url: str, **options: object) -> ArthurClient:
    transport = Transport(url, V3, **options)  # type: ignore[arg-type]
    return ArthurClient(transport, Authentication(api_key="k", organization_id="o"))


def test_certificates_are_verified(secure: FaultServer, certificate: Certificate) -> None:
    with pytest.raises(Unavailable, match="OTEL_EXPORTER_ARTHUR_CERTIFICATE"):
        client_of(secure.url).send_inferences("m", [ROW])
    assert secure.requests == []
    trusting = client_of(secure.url, certificate=str(certificate.path))
    assert trusting.send_inferences("m", [ROW])[0].delivered
    trusting.close()


def test_the_name_is_verified_too(certificate: Certificate) -> None:
    with FaultServer(tls=certificate.context, host="127.0.0.2") as other:
        with pytest.raises(Unavailable, match="cannot be verified"):
            client_of(other.url, certificate=str(certificate.path)).send_inferences("m", [ROW])
        assert other.requests == []


def test_insecure_skips_the_checks_silently(secure: FaultServer) -> None:
    client = client_of(secure.url, insecure=True)  # warnings are errors in these tests
    assert client.send_inferences("m", [ROW])[0].delivered
    client.close()


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_the_systems_certificates(
    secure: FaultServer, certificate: Certificate, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, str(certificate.path))
    client = client_of(secure.url)
    assert client.send_inferences("m", [ROW])[0].delivered
    client.close()


@pytest.mark.parametrize("content", [None, "", "no certificate"])
def test_certificate_files_that_cannot_be_used(
    secure: FaultServer, tmp_path: Path, content: str | None
) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ConfigurationError, match="OTEL_EXPORTER_ARTHUR_CERTIFICATE"):
        client_of(secure.url, certificate=str(path)).send_inferences("m", [ROW])
    with pytest.raises(ConfigurationError, match="OTEL_EXPORTER_ARTHUR_ENGINE_CERTIFICATE"):
        Transport(secure.url, ENGINE, certificate=str(path)).request("GET", "/")


@pytest.mark.parametrize("variable", ["OTEL_EXPORTER_ARTHUR_CERTIFICATE", "REQUESTS_CA_BUNDLE"])
def test_a_file_that_is_not_there_is_told_where_no_certificate_is_needed(
    server: FaultServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    assert client_of(server.url).send_inferences("m", [ROW])[0].delivered
    path = str(tmp_path / "nowhere.pem")
    monkeypatch.setenv(variable, path)
    certificate = None if variable == "REQUESTS_CA_BUNDLE" else path
    with pytest.raises(ConfigurationError, match=variable):
        client_of(server.url, certificate=certificate).send_inferences("m", [ROW])


def test_the_proxy_of_the_environment(
    secure: FaultServer, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ConnectProxy(secure.port) as proxy:
        for name in ("https_proxy", "NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        client = client_of("https://arthur.test", certificate=str(certificate.path), timeout=PATIENCE)
        assert client.send_inferences("m", [ROW])[0].delivered
        assert [line.split()[:2] for line in proxy.asked] == [["CONNECT", "arthur.test:443"]]
        secure.script(drip(0.02))
        with pytest.raises(Unavailable, match="in time"):
            client.send_inferences("m", [ROW], timeout=0.5)
        client.close()
        direct = client_of(secure.url, certificate=str(certificate.path))
        assert direct.send_inferences("m", [ROW])[0].delivered
        direct.close()
        assert {line.split()[1] for line in proxy.asked} == {"arthur.test:443"}


def test_a_proxy_that_refuses_is_named_without_its_password(
    secure: FaultServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ConnectProxy(secure.port, answer=b"407 Proxy Authentication Required") as proxy:
        for name in ("https_proxy", "NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(Unavailable, match="proxy") as caught:
            client_of("https://arthur.test").send_inferences("m", [ROW])
    assert "proxysecret" not in repr(caught.value)
