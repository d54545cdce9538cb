"""Ground truth is spooled, waits for its inference, and is given up only after long patience."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

from otel_arthur.arthur.target import presenting
from otel_arthur.configuration import Route
from otel_arthur.delivery import Delivery
from otel_arthur.spool.queue import leases
from tests.support.processes.threads import wait_for_senders
from tests.support.servers.fault_behaviours import refuse_rows, row_statuses
from tests.support.servers.fault_server import FaultServer
from tests.support.spans.llm_calls import ids_of, llm_call, llm_calls
from tests.support.waiting import PATIENCE, eventually


def truth(identity: str, value: str = "Paris") -> dict[str, Any]:
    return {
        "partner_inference_id": identity,
        "ground_truth_timestamp": "2026-11-22T12:00:00+00:00",
        "ground_truth_data": {"expected_text": value},
    }


def test_it_waits_for_its_inference_in_the_spool(
    server: FaultServer, deliver: Callable[..., Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "BLOCKED_SECONDS", 0.1)
    delivery = deliver(duplicate_window=3600.0)
    calls = llm_calls(3)
    delivery.submit(calls)
    delivery.submit_ground_truth([truth(identity) for identity in [*ids_of(calls), "not ours"]])
    assert server.wait_for(1, PATIENCE)
    eventually(lambda: delivery.flush(5), "all is sent")
    methods = [(r.method, i) for r in server.sends for i in r.ids]
    assert methods[0] == ("PATCH", "not ours")
    assert sorted(i for m, i in methods if m == "POST") == sorted(ids_of(calls))
    assert sorted(i for m, i in methods[4:]) == sorted(ids_of(calls))
    assert all(method == "PATCH" for method, _ in methods[4:])


def test_a_correction_is_no_repetition(server: FaultServer, deliver: Callable[..., Delivery]) -> None:
    delivery = deliver()
    for value in ("Paris", "Paris", "Rome"):
        delivery.submit_ground_truth([truth("one", value)])
    assert delivery.flush(PATIENCE)
    values = [row["ground_truth_data"]["expected_text"] for row in server.accepted_rows]
    assert values == ["Paris", "Rome"]


def test_an_unknown_inference_is_waited_for_then_given_up(
    server: FaultServer, deliver: Callable[..., Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presenting, "TRUTH_PATIENCE_ATTEMPTS", 2)
    monkeypatch.setattr(presenting, "TRUTH_PATIENCE_SECONDS", 0.0)
    server.script(row_statuses(404), row_statuses(404), row_statuses(404))
    delivery = deliver()
    delivery.submit_ground_truth([truth("late")])
    eventually(lambda: delivery.flush(5), "a flush that sees all ended")
    (letter,) = delivery._spool.letters()
    assert (letter.id, letter.reason) == ("late", "404 scripted")
    assert len(server.sends) == 3


def test_it_finds_the_model_of_its_inference(server: FaultServer, deliver: Callable[..., Delivery]) -> None:
    delivery = deliver(routes=(Route("billing", "billing-model"),))
    call = llm_call(service_name="billing")
    delivery.submit([call])
    assert delivery.flush(PATIENCE)
    delivery.submit_ground_truth([truth(*ids_of([call])), truth("unknown")])
    assert delivery.flush(PATIENCE)
    patched = {tuple(r.ids): r.path.split("/")[4] for r in server.sends if r.method == "PATCH"}
    assert patched[tuple(ids_of([call]))] == "billing-model"
    assert patched[("unknown",)] != "billing-model"


def test_ground_truth_that_waits_for_its_call_is_said_to_wait(
    server: FaultServer, deliver: Callable[..., Delivery], invoke: Callable[..., Result]
) -> None:
    """`spool status` has no error to show: Arthur answered."""
    server.always(refuse_rows(lambda _: (404, "no such inference")))
    delivery = deliver()
    delivery.submit_ground_truth([truth("of-no-call")])
    delivery.shutdown(0.2)
    wait_for_senders()
    result = invoke("drain", "--timeout", "1")
    assert result.exit_code == 1
    assert "ground truth waits until Arthur has its inference" in result.stderr
    assert "last error" not in invoke("status").stdout
