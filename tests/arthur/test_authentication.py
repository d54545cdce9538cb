"""Keys, logins, tokens that expire, and organizations."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from otel_arthur.arthur.authentication import Authentication
from otel_arthur.arthur.client import V3, ArthurClient
from otel_arthur.arthur.errors import Unauthorized
from otel_arthur.http.errors import ConfigurationError, NotArthur, Unavailable
from otel_arthur.http.transport import Transport
from tests.support.servers.fault_behaviours import delay, html, status
from tests.support.servers.fault_exchange import Behaviour, Exchange
from tests.support.servers.fault_server import FaultServer

ROW = {"partner_inference_id": "a"}
PASSWORD = "password-that-must-not-leak"


def jwt(name: str, **claims: object) -> str:
    parts = [{"alg": "none"}, {"sub": name, **claims}]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, "signature"])


def gives(token: str) -> Behaviour:
    return status(200, {"Set-Cookie": f"Authorization={token}; Path=/; Domain=arthur.ai; Secure; HttpOnly"})


def only(*tokens: str) -> Behaviour:
    """401 for every other token."""
    from tests.support.servers.fault_behaviours import accept

    def behave(exchange: Exchange) -> None:
        (accept() if exchange.request.headers["authorization"] in tokens else status(401))(exchange)

    return behave


def with_login(server: FaultServer, **more: str) -> ArthurClient:
    login = Authentication(login="me", password=PASSWORD, **more)
    return ArthurClient(Transport(server.url, V3), login)


def paths(server: FaultServer) -> list[str]:
    return [r.path.partition("?")[0].removeprefix("/api/v3") for r in server.requests]


def test_a_login_is_lazy_and_kept(server: FaultServer) -> None:
    server.script(gives("t1"), on="/login")
    client = with_login(server)
    assert server.requests == []
    client.send_inferences("m", [ROW])
    client.send_inferences("m", [ROW])
    client.close()
    assert paths(server) == ["/login", "/users/me", "/models/m/inferences", "/models/m/inferences"]
    login, *others = server.requests
    assert login.json == {"login": "me", "password": PASSWORD}
    assert "authorization" not in login.headers
    assert {r.headers["authorization"] for r in others} == {"t1"}
    assert not any("cookie" in r.headers for r in server.requests)


def test_a_401_renews_the_login_once(server: FaultServer) -> None:
    server.script(gives("t1"), gives("t2"), gives("t3"), on="/login")
    client = with_login(server)
    client.send_inferences("m", [ROW])
    server.always(only("t2"))
    assert client.send_inferences("m", [ROW])[0].delivered
    server.always(only("none"))
    before = len(server.requests)
    with pytest.raises(Unauthorized):
        client.send_inferences("m", [ROW])
    client.close()
    assert paths(server)[before:] == ["/models/m/inferences", "/login", "/models/m/inferences"]


def test_a_key_is_not_tried_twice(server: FaultServer, client: ArthurClient) -> None:
    server.always(status(401))
    with pytest.raises(Unauthorized):
        client.send_inferences("m", [ROW])
    assert len(server.sends) == 1


def test_a_token_is_renewed_before_it_expires(server: FaultServer) -> None:
    now = int(time.time())
    soon = jwt("soon", exp=now + 1, iat=now - 10_000)  # by its own clock it lives for hours
    server.script(gives(soon), on="/login")
    client = with_login(server, organization_id="o")
    client.send_inferences("m", [ROW])
    client.send_inferences("m", [ROW])
    assert paths(server).count("/login") == 1
    client.close()


@pytest.mark.parametrize(
    ("claims", "wait"),
    [
        (lambda now: {"exp": now + 3600}, 3300),
        (lambda now: {"exp": now + 3600, "iat": now}, 3300),
        (lambda now: {"exp": now - 50, "iat": now - 3650}, 3300),
        (lambda now: {"exp": now + 400}, 200),
        (lambda now: {"exp": now + 60}, 30),
        (lambda now: {"exp": now - 60}, float("inf")),
        (lambda now: {}, float("inf")),
        (lambda now: {"exp": "never"}, float("inf")),
    ],
)
def test_when_a_token_is_renewed(claims: Callable[[int], dict[str, object]], wait: float) -> None:
    from otel_arthur.arthur.authentication import _renewal_time

    assert _renewal_time(jwt("x", **claims(1_000_000)), 1_000_000.0) == 1_000_000.0 + wait


@pytest.mark.parametrize("token", ["", "opaque", "a.b.c", "a.!!!.c", "..", "a.bnVsbA.c", "a.W10.c"])
def test_tokens_that_say_nothing(token: str) -> None:
    from otel_arthur.arthur.authentication import _renewal_time

    assert _renewal_time(token, 0.0) == float("inf")


def test_a_token_past_its_time_is_replaced(server: FaultServer) -> None:
    server.script(gives("t1"), gives("t2"), on="/login")
    authentication = Authentication(login="me", password=PASSWORD, organization_id="o")
    client = ArthurClient(Transport(server.url, V3), authentication)
    client.send_inferences("m", [ROW])
    authentication._token.renew_at = time.time() - 1  # type: ignore[union-attr]
    client.send_inferences("m", [ROW])
    client.close()
    assert [r.headers["authorization"] for r in server.sends] == ["t1", "t2"]


def test_many_threads_log_in_once(server: FaultServer) -> None:
    server.always(delay(0.2, gives("t1")), on="/login")
    client = with_login(server)
    together = Barrier(8)

    def send(_n: int) -> bool:
        together.wait()
        return client.send_inferences("m", [ROW])[0].delivered

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(send, range(8)))
    client.close()
    assert paths(server).count("/login") == paths(server).count("/users/me") == 1


def test_a_wrong_password_is_asked_once_per_call(server: FaultServer) -> None:
    server.always(status(401, body={"error": f"no {PASSWORD}"}), on="/login")
    client = with_login(server)
    with pytest.raises(Unauthorized, match="LOGIN") as caught:
        client.send_inferences("m", [ROW])
    client.close()
    assert PASSWORD not in repr(vars(caught.value)) + str(caught.value)
    assert paths(server) == ["/login"]


def test_a_login_that_is_down_may_pass(server: FaultServer) -> None:
    server.script(status(503, {"Retry-After": "9"}), html(), status(200), on="/login")
    client = with_login(server)
    with pytest.raises(Unavailable) as caught:
        client.send_inferences("m", [ROW])
    assert caught.value.retry_after == 9
    for _ in range(2):
        with pytest.raises(NotArthur):
            client.send_inferences("m", [ROW])
    assert client.send_inferences("m", [ROW])[0].delivered
    client.close()


def test_a_token_refused_while_asking_for_the_organization(server: FaultServer) -> None:
    server.script(gives("t1"), gives("t2"), on="/login")
    server.script(status(401), on="/users/me")
    client = with_login(server)
    with pytest.raises(Unauthorized):
        client.send_inferences("m", [ROW])
    assert client.send_inferences("m", [ROW])[0].delivered
    client.close()
    assert server.sends[0].headers["authorization"] == "t2"


@pytest.mark.parametrize("me", [status(403), status(200, body={"login": "x"})])
def test_an_organization_from_an_identity_provider(
    server: FaultServer, client: ArthurClient, me: Behaviour
) -> None:
    server.script(me, on="/users/me")
    server.script(status(200, body={"organization_ids": ["o-1"]}), on="/auth_info")
    assert client.organization_id() == "o-1"


@pytest.mark.parametrize(
    ("ids", "words"), [(["o-1", "o-2"], ["o-1, o-2", "2 organizations"]), ([], ["no organization"])]
)
def test_organizations_to_choose_from(
    server: FaultServer, client: ArthurClient, ids: list[str], words: list[str]
) -> None:
    server.always(status(403), on="/users/me")
    server.always(status(200, body={"organization_ids": ids}), on="/auth_info")
    with pytest.raises(ConfigurationError) as caught:
        client.send_inferences("m", [ROW])
    for word in [*words, "OTEL_EXPORTER_ARTHUR_ORGANIZATION_ID"]:
        assert word in str(caught.value)


@pytest.mark.parametrize("given", [{}, {"login": "me"}, {"password": "x"}, {"api_key": ""}])
def test_missing_credentials(given: dict[str, str]) -> None:
    with pytest.raises(ConfigurationError, match="OTEL_EXPORTER_ARTHUR_API_KEY"):
        Authentication(**given)


@pytest.mark.parametrize("key", ["two\nlines", "tab\there", "schlüssel", "nul\0", "\ud83d"])
def test_keys_that_no_header_can_carry(key: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Authentication(api_key=key)
    assert key not in str(caught.value)


def test_secrets_are_not_shown(server: FaultServer) -> None:
    shown = repr(with_login(server)) + repr(Authentication(api_key="hidden", organization_id="o"))
    assert PASSWORD not in shown
    assert "hidden" not in shown
