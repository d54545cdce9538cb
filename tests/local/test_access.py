"""Who gets in, by which name, and with how much."""

from __future__ import annotations

import base64
import gzip
import json
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from otel_arthur.local import LocalArthur, RemoteAddressRefused
from tests.support.servers.account import presentations
from tests.support.waiting import PATIENCE


def test_api_key(api: Any) -> None:
    me = api.call("GET", "/users/me")
    assert me.status_code == 200
    assert me.json()["organization_id"] == api.arthur.organization_id
    info = api.call("GET", "/users/me/auth_info").json()
    assert info["organization_ids"] == [api.arthur.organization_id]
    assert info.keys() == {
        "issuer",
        "username",
        "first_name",
        "last_name",
        "email",
        "roles",
        "organization_ids",
    }


def test_wrong_keys(api: Any, model_id: str) -> None:
    key = api.arthur.api_key
    for wrong in ("", "wrong", f"Bearer {key}", key + "x", "a.b.c", "schlüssel".encode()):
        for method, path in (
            ("GET", "/users/me"),
            ("GET", "/users/me/auth_info"),
            ("GET", "/models"),
            ("POST", "/models"),
            ("GET", f"/models/{model_id}"),
            ("POST", f"/models/{model_id}/inferences"),
            ("PATCH", f"/models/{model_id}/inferences"),
            ("GET", f"/models/{model_id}/inferences"),
            ("POST", f"/models/{model_id}/inferences/query"),
            ("POST", f"/models/{model_id}/inferences/file"),
        ):
            response = api.call(method, path, json=[], headers={"Authorization": wrong})
            assert response.status_code == 401, (method, path, wrong)
            assert key not in response.text
            assert response.json().keys() == {"error"}
    missing = api.call("GET", "/users/me", headers={"Authorization": None})
    assert missing.status_code == 401


def test_login(client_of: Any) -> None:
    with LocalArthur(login="me", password="secret") as arthur:
        api = client_of(arthur)
        answer = api.call(
            "POST", "/login", json={"login": "me", "password": "secret"}, headers={"Authorization": None}
        )
        assert answer.status_code == 200
        token = answer.cookies["Authorization"]
        api.session.cookies.clear()
        claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
        assert claims["exp"] - claims["iat"] == 3600
        assert api.call("GET", "/users/me", headers={"Authorization": token}).status_code == 200
        head, body, signature = token.split(".")
        forged = base64.urlsafe_b64encode(json.dumps({**claims, "exp": 2**40}).encode()).decode().rstrip("=")
        unsigned = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
        for bad in (f"{head}.{forged}.{signature}", f"{unsigned}.{body}.", f"{head}.{body}.{signature[:-2]}"):
            assert api.call("GET", "/users/me", headers={"Authorization": bad}).status_code == 401
        # The cookie alone lets nobody in: no other site may act with a browser's login.
        cookie = api.call(
            "GET", "/users/me", headers={"Authorization": None, "Cookie": f"Authorization={token}"}
        )
        assert cookie.status_code == 401
        for wrong in (
            {"login": "me", "password": "guess"},
            {"login": "you", "password": "secret"},
            {"login": "me"},
            {"login": ["me"], "password": {}},
            [],
        ):
            refused = api.call("POST", "/login", json=wrong)
            assert refused.status_code == 401
            assert "Authorization" not in refused.cookies


def test_the_password_is_the_key_unless_named(api: Any) -> None:
    login = {"login": "local", "password": api.arthur.api_key}
    assert api.call("POST", "/login", json=login).status_code == 200


def test_an_expired_login(client_of: Any) -> None:
    with LocalArthur(token_lifetime=-1) as arthur:
        api = client_of(arthur)
        token = api.call("POST", "/login", json={"login": "local", "password": arthur.api_key})
        value = token.headers["Set-Cookie"].partition("=")[2].partition(";")[0].strip('"')
        refused = api.call("GET", "/users/me", headers={"Authorization": value})
        assert refused.status_code == 401
        assert "expired" in refused.json()["error"]


def test_organization(api: Any) -> None:
    assert api.call("GET", "/models", headers={"Arthur-Organization-ID": None}).status_code == 200
    other = api.call("GET", "/models", headers={"Arthur-Organization-ID": "another"})
    assert other.status_code == 403
    assert "rganization" in other.json()["error"]


def test_unknown_routes(api: Any) -> None:
    for path in ("/nothing", "/models/a/b", "/models/a/inferences/b"):
        response = api.call("GET", path)
        assert response.status_code == 404
        assert response.json().keys() == {"error"}
    assert api.call("DELETE", "/models").status_code == 405


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "10.0.0.1", ""]
)
@pytest.mark.parametrize("path", ["/", "/api/v3/users/me", "/static/pages.css"])
def test_foreign_hosts(api: Any, host: str, path: str) -> None:
    response = api.session.get(api.arthur.url + path, headers={"Host": host}, timeout=PATIENCE)
    assert response.status_code in ((421,) if host else (400, 421))


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:1", "127.0.0.1:9", "[::1]:80", "app.localhost", "127.9.9.9"]
)
def test_own_hosts(api: Any, host: str) -> None:
    assert api.session.get(api.arthur.url, headers={"Host": host}, timeout=PATIENCE).status_code == 200


def test_a_named_host(client_of: Any) -> None:
    with LocalArthur(allowed_hosts=["Arthur.Test"]) as arthur:
        api = client_of(arthur)
        assert api.call("GET", "/models", headers={"Host": "arthur.test:8188"}).status_code == 200
        assert api.call("GET", "/models", headers={"Host": "arthur.example"}).status_code == 421


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
def test_remote_addresses_are_refused(host: str) -> None:
    with pytest.raises(RemoteAddressRefused, match="--allow-remote"):
        LocalArthur(host)


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
def test_the_pages_ask_for_the_key(client_of: Any, host: str) -> None:
    with LocalArthur(host, allow_remote=True) as arthur:
        assert arthur.url == f"http://127.0.0.1:{arthur.port}"
        api = client_of(arthur)
        for path in ("/", "/calls/1"):
            refused = requests.get(arthur.url + path, timeout=PATIENCE)
            assert refused.status_code == 401
            assert refused.headers["WWW-Authenticate"].startswith("Basic ")
            assert requests.get(arthur.url + path, auth=("any", "wrong"), timeout=PATIENCE).status_code == 401
            assert (
                requests.get(
                    arthur.url + path, headers={"Authorization": "Basic %"}, timeout=PATIENCE
                ).status_code
                == 401
            )
        assert requests.get(arthur.url, auth=("any", arthur.api_key), timeout=PATIENCE).status_code == 200
        # An address cannot be rebound to another, a name can.
        other = api.call("GET", "/models", headers={"Host": "192.0.2.7:8188"})
        assert other.status_code == (200 if host == "0.0.0.0" else 421)
        assert api.call("GET", "/models", headers={"Host": "evil.example"}).status_code == 421


def test_a_printed_link_lets_in_one_browser(arthur: LocalArthur) -> None:
    link = arthur.dashboard_link()
    assert requests.head(link, timeout=PATIENCE).status_code == 401, "a preview must not use it up"
    with requests.Session() as browser, requests.Session() as other:
        shown = browser.get(link, timeout=PATIENCE)
        assert shown.status_code == 200
        cookie = shown.headers["Set-Cookie"].lower()
        assert "httponly" in cookie
        assert "samesite=lax" in cookie
        assert arthur.api_key not in link + shown.headers["Set-Cookie"]
        assert browser.get(arthur.url, timeout=PATIENCE).status_code == 200
        assert browser.get(link, timeout=PATIENCE).status_code == 200, "the page may be loaded again"
        refused = other.get(link, timeout=PATIENCE)
        assert refused.status_code == 401
        assert "works once" in refused.text
    with LocalArthur() as another, requests.Session() as browser:
        browser.get(another.dashboard_link(), timeout=PATIENCE)
        assert browser.get(arthur.url, timeout=PATIENCE).status_code == 401, "each has its own cookies"


def test_security_headers_are_everywhere(api: Any) -> None:
    for path in ("/", "/calls/7", "/api/v3/models", "/nothing", "/static/pages.css"):
        for headers in ({}, {"Host": "evil.example"}):
            response = api.session.get(api.arthur.url + path, headers=headers, timeout=PATIENCE)
            policy = response.headers["Content-Security-Policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert response.headers["X-Frame-Options"] == "DENY"
            assert response.headers["Referrer-Policy"] == "no-referrer"
            assert "server" not in response.headers


def test_gzip(api: Any, model_id: str, new_row: Any) -> None:
    path = f"/models/{model_id}/inferences"
    packed = gzip.compress(json.dumps([new_row("a")]).encode())
    gzipped = {"Content-Encoding": "gzip"}
    assert api.call("POST", path, data=packed, headers=gzipped).status_code == 207
    assert presentations(api.arthur, model_id) == {"a": 1}
    for broken in (b"[]", packed[:-9], b""):
        response = api.call("POST", path, data=broken, headers=gzipped)
        assert response.status_code == 400
        assert "gzip" in response.json()["error"]
    other = api.call("POST", path, data=b"[]", headers={"Content-Encoding": "br"})
    assert other.status_code == 415


def test_body_limit(client_of: Any, new_row: Any) -> None:
    limit = 20_000
    with LocalArthur(max_body_bytes=limit) as arthur:
        api = client_of(arthur)
        model_id = api.onboard()
        path = f"/models/{model_id}/inferences"
        fits = json.dumps([new_row("fits")]).encode()
        fits += b" " * (limit - len(fits))
        for encode, headers in ((bytes, {}), (gzip.compress, {"Content-Encoding": "gzip"})):
            over = api.call("POST", path, data=encode(fits + b" "), headers=headers)
            assert over.status_code == 413
            assert str(limit) in over.json()["error"]
        chunks = (part for part in (fits, b" "))
        assert api.call("POST", path, data=chunks).status_code == 413
        bomb = gzip.compress(b" " * (64 * 1024 * 1024))
        assert api.call("POST", path, data=bomb, headers={"Content-Encoding": "gzip"}).status_code == 413
        assert arthur.store.count(model_id) == 0
        assert api.call("POST", path, data=fits).status_code == 207
        packed = gzip.compress(json.dumps([new_row("packed")]).encode().ljust(limit))
        assert api.call("POST", path, data=packed, headers={"Content-Encoding": "gzip"}).status_code == 207


def test_noise_harms_nothing(api: Any) -> None:
    address = urlsplit(api.arthur.url)
    for noise in (
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET / HTTP/9.9\r\n\r\n",
        b"\r\n" * 100,
        b"PRI * HTTP/2.0\r\n\r\n",
    ):
        with socket.create_connection((address.hostname, address.port), timeout=PATIENCE) as connection:
            connection.sendall(noise)
    assert api.call("GET", "/models").status_code == 200


def test_small_bodies_that_become_large(api: Any, model_id: str) -> None:
    """30 MB of lists would be gigabytes of objects: more values than a body may have are refused unread."""
    lists = b"[" + b"[]," * 10_000_000 + b"0]"
    assert api.call("POST", f"/models/{model_id}/inferences", data=lists).status_code == 413
    spans = b"\x12\x00" * 15_000_000
    for field in (b"\x12", b"\x0a"):
        spans = field + _length(len(spans)) + spans
    url = f"{api.arthur.url}/api/v1/traces"
    headers = {"Authorization": f"Bearer {api.arthur.api_key}", "Content-Type": "application/x-protobuf"}
    assert requests.post(url, spans, headers=headers, timeout=PATIENCE).status_code == 400


def _length(size: int) -> bytes:
    encoded = b""
    while size > 0x7F:
        encoded += bytes([size & 0x7F | 0x80])
        size >>= 7
    return encoded + bytes([size])
