"""The client against a server that fails in every way that it knows."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest

from otel_arthur.arthur import errors as e
from otel_arthur.arthur.authentication import Authentication
from otel_arthur.arthur.client import V3, ArthurClient
from otel_arthur.arthur.rows import Outcome
from otel_arthur.http.errors import MAX_RETRY_AFTER, ArthurError, NotArthur, Unavailable, parse_retry_after
from otel_arthur.http.transport import Transport
from tests.arthur.safety import KEY, PROMPT, assert_safe, row
from tests.support.servers.fault_behaviours import (
    answer,
    at_most,
    cut_body,
    flood,
    garbage,
    html,
    lose_answer,
    redirect,
    reset_after_reading,
    reset_before_reading,
    status,
    truncated_json,
)
from tests.support.servers.fault_exchange import HTML
from tests.support.servers.fault_server import MODEL, ORGANIZATION, FaultServer


def test_rows_go_as_given_and_come_back_in_order(server: FaultServer, client: ArthurClient) -> None:
    ready = b'{"partner_inference_id": "a",   "inference_data": {}}'
    results = client.send_inferences("m", [ready, row("b")])
    assert [r.outcome for r in results] == [Outcome.ACCEPTED] * 2
    assert all(r.delivered for r in results)
    (sent,) = server.sends
    assert sent.ids == ["a", "b"]
    assert sent.body.startswith(b"[" + ready + b",")
    assert sent.headers["authorization"] == KEY
    assert sent.headers["arthur-organization-id"] == ORGANIZATION
    assert sent.headers["accept"] == "application/json"
    assert sent.headers["user-agent"].startswith("otel-arthur/")
    assert "cookie" not in sent.headers


def test_nothing_is_sent_for_no_rows(server: FaultServer, client: ArthurClient) -> None:
    assert client.send_inferences("m", []) == []
    assert server.requests == []


def test_values_that_json_lacks(server: FaultServer, client: ArthurClient) -> None:
    data = {"nan": float("nan"), "inf": float("-inf"), "cut": "a\ud83d", "pair": "\ud83d\ude00", "\udc00k": 1}
    client.send_inferences("m", [{"partner_inference_id": "x", "inference_data": data}])
    assert server.sends[0].rows[0]["inference_data"] == {
        "nan": None,
        "inf": None,
        "cut": "a�",
        "pair": "😀",
        "�k": 1,
    }


@pytest.mark.parametrize(
    ("code", "kind", "retryable"),
    [
        (400, e.Refused, False),
        (401, e.Unauthorized, False),
        (402, e.Refused, False),
        (403, e.Forbidden, False),
        (404, e.NotFound, False),
        (408, Unavailable, True),
        (413, e.PayloadTooLarge, False),
        (418, e.Refused, False),
        (425, Unavailable, True),
        (429, Unavailable, True),
        (500, Unavailable, True),
        (502, Unavailable, True),
        (503, Unavailable, True),
        (599, Unavailable, True),
    ],
)
def test_statuses(
    server: FaultServer, client: ArthurClient, code: int, kind: type[ArthurError], retryable: bool
) -> None:
    server.always(status(code))
    with pytest.raises(kind) as caught:
        client.send_inferences("m-1", [row("a"), row("b")])
    assert type(caught.value) is kind
    assert caught.value.status == code
    assert caught.value.retryable is retryable
    assert "m-1" in str(caught.value)
    assert_safe(caught.value)
    assert len(server.sends) == 1, "one call is one attempt"


def test_retry_after_in_seconds_and_as_a_date(server: FaultServer, client: ArthurClient) -> None:
    later = datetime.now(timezone.utc) + timedelta(hours=1)
    server.script(
        status(429, {"Retry-After": "7"}), status(503, {"Retry-After": format_datetime(later, True)})
    )
    with pytest.raises(Unavailable) as seconds:
        client.send_inferences("m", [row("a")])
    with pytest.raises(Unavailable) as date:
        client.send_inferences("m", [row("a")])
    assert seconds.value.retry_after == 7.0
    assert date.value.retry_after is not None
    assert 1800 < date.value.retry_after <= 3600


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("-5", 0.0),
        ("inf", MAX_RETRY_AFTER),
        ("1.5", 1.5),
        ("Mon, 01 Jan 2024 00:00:10 GMT", 10.0),
        ("Mon, 01 Jan 2024 00:00:10 -0000", 10.0),
        ("Sun, 31 Dec 2023 00:00:00 GMT", 0.0),
        ("Mon, 99 Foo 2024 99:00:10 GMT", None),
    ],
)
def test_retry_after_forms(value: str | None, expected: float | None) -> None:
    assert parse_retry_after(value, datetime(2024, 1, 1, tzinfo=timezone.utc)) == expected


@pytest.mark.parametrize(
    "fault", [reset_before_reading(), reset_after_reading(), lose_answer(), cut_body(), garbage()]
)
def test_broken_connections(server: FaultServer, client: ArthurClient, fault: object) -> None:
    server.script(fault)  # type: ignore[arg-type]
    with pytest.raises(Unavailable) as caught:
        client.send_inferences("m", [row("a")])
    assert_safe(caught.value)
    assert client.send_inferences("m", [row("a")])[0].delivered, "the next call has a connection of its own"


def test_an_outage_heals(server: FaultServer, client: ArthurClient) -> None:
    client.send_inferences("m", [row("a")])
    server.stop()
    with pytest.raises(Unavailable) as caught:
        client.send_inferences("m", [row("b")])
    assert_safe(caught.value)
    server.start()
    client.send_inferences("m", [row("b")])
    assert server.accepted_ids == ["a", "b"]


@pytest.mark.parametrize(
    "fault",
    [
        html(),
        html(207),
        truncated_json(),
        answer(200, b"[1, 2]"),
        answer(200, b'"ok"'),
        flood(17),
        flood(17, compressed=True),
        redirect("http://127.0.0.1:9/api/v3/login"),
        redirect("/x", 302),
    ],
)
def test_what_is_not_arthur(server: FaultServer, client: ArthurClient, fault: object) -> None:
    server.script(fault)  # type: ignore[arg-type]
    with pytest.raises(NotArthur) as caught:
        client.send_inferences("m", [row("a")])
    assert caught.value.retryable
    assert HTML.decode() not in repr(vars(caught.value))
    assert_safe(caught.value)


def test_no_redirect_carries_credentials(server: FaultServer, client: ArthurClient) -> None:
    with FaultServer() as other:
        server.always(redirect(f"{other.url}/api/v3/models/m"), on="/models/m")
        with pytest.raises(NotArthur):
            client.model("m")
        assert other.requests == []


def test_the_reason_is_kept_apart_and_without_secrets(server: FaultServer, client: ArthurClient) -> None:
    server.script(status(400, body={"error": f"bad row\n for {KEY}: {PROMPT} " + "x" * 900}))
    with pytest.raises(e.Refused) as caught:
        client.send_inferences("m", [row("a"), row("b")])
    assert PROMPT not in str(caught.value)
    assert PROMPT not in repr(caught.value)
    assert caught.value.detail is not None
    assert caught.value.detail.startswith("bad row for ***:")
    assert len(caught.value.detail) <= 300


def test_too_large_requests(server: FaultServer, client: ArthurClient) -> None:
    server.always(at_most(400))
    with pytest.raises(e.PayloadTooLarge):
        client.send_inferences("m", [row(str(i)) for i in range(20)])
    assert client.send_inferences("m", [row("a")])[0].delivered


def test_ground_truth_is_patched(server: FaultServer, client: ArthurClient) -> None:
    truth = {"partner_inference_id": "a", "ground_truth_data": {"expected_text": "x"}}
    assert client.send_ground_truth("m", [truth])[0].delivered
    assert [(r.method, r.rows) for r in server.sends] == [("PATCH", [truth])]


def test_models_are_read_with_their_attributes(server: FaultServer, client: ArthurClient) -> None:
    model = client.model("id/with ?odd")
    assert server.requests[-1].path == "/api/v3/models/id%2Fwith%20%3Fodd?id_type=id&expand=attributes"
    assert [a.name for a in model.attributes] == [a["name"] for a in MODEL["attributes"]]
    assert model.is_ready


def test_an_unknown_model_is_told_from_a_wrong_address(server: FaultServer, client: ArthurClient) -> None:
    server.script(status(404), html(404), on="/models/m")
    with pytest.raises(e.NotFound, match="otel-arthur onboard"):
        client.model("m")
    with pytest.raises(NotArthur, match="OTEL_EXPORTER_ARTHUR_ENDPOINT"):
        client.model("m")


def test_a_model_is_awaited_until_it_is_ready(server: FaultServer, client: ArthurClient) -> None:
    slow = [status(200, body={**MODEL, "status": s}) for s in ("Pending", "Creating")]
    server.script(slow[0], status(503), slow[1], on="/models/m")
    assert client.wait_until_ready("m").status == "Ready"


def test_a_model_that_fails_or_dawdles(server: FaultServer, client: ArthurClient) -> None:
    server.always(status(200, body={**MODEL, "status": "CreationFailed"}), on="/models/m")
    with pytest.raises(e.ProvisioningFailed, match="CreationFailed"):
        client.wait_until_ready("m")
    server.always(status(200, body={**MODEL, "status": "Pending"}), on="/models/m")
    with pytest.raises(Unavailable, match="Pending"):
        client.wait_until_ready("m", within=0.1)
    server.always(status(404), on="/models/m")
    with pytest.raises(e.NotFound):
        client.wait_until_ready("m")


def test_a_taken_name_is_told_with_the_id_of_its_owner(server: FaultServer, client: ArthurClient) -> None:
    server.script(status(409), on="/models")
    with pytest.raises(e.AlreadyExists) as caught:
        client.create_model({"partner_model_id": "bot"})
    assert caught.value.model_id == "bot"  # the fault server's models have the id that is asked for


def test_compressed_requests(server: FaultServer) -> None:
    transport = Transport(server.url, V3, compression="gzip")
    client = ArthurClient(transport, Authentication(api_key=KEY, organization_id="o"))
    client.send_inferences("m", [row("a")])
    client.close()
    (sent,) = server.requests
    assert sent.headers["content-encoding"] == "gzip"
    assert sent.headers["arthur-organization-id"] == "o"
    assert json.loads(sent.body)[0]["partner_inference_id"] == "a"
