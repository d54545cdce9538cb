"""What is recorded without a key, a model or a route waits for the configuration that it is for."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import Result

from otel_arthur.configuration import Route
from otel_arthur.delivery import Delivery
from tests.support.servers.fault_behaviours import status
from tests.support.servers.fault_server import FaultServer
from tests.support.spans.llm_calls import ids_of, llm_call, llm_calls
from tests.support.waiting import PATIENCE, eventually


def test_records_wait_for_the_configuration_they_are_for(
    server: FaultServer, deliver: Callable[..., Delivery]
) -> None:
    unconfigured = deliver(api_key=None, organization_id=None)
    first = llm_calls(3)
    unconfigured.submit(first)
    assert not unconfigured.flush(1)
    unconfigured.shutdown(1)
    no_model = deliver(model_id=None)
    second, foreign = llm_calls(3), llm_calls(2, service_name="another")
    no_model.submit([*second, *foreign])
    no_model.shutdown(1)
    other = deliver(organization_id="another organization")
    other.start()
    other.flush(2)
    own = llm_calls(1)
    configured = deliver()
    configured.submit(own)
    assert configured.flush(PATIENCE)
    eventually(lambda: configured.flush(1) and len(server.accepted_ids) >= 7, "what waited is sent")
    # The other service's records are not ours to send without a person's word.
    assert sorted(server.accepted_ids) == sorted(ids_of([*first, *second, *own]))
    # The delivery itself may be looking at them, for rows of its own service: what is leased stays.
    eventually(lambda: configured.adopt_all() == 2, "both are taken over at once")
    assert configured.flush(PATIENCE)
    assert sorted(server.accepted_ids) == sorted(ids_of([*first, *second, *own, *foreign]))


def test_a_renewed_key_of_the_same_organization_sends_what_the_old_one_left(
    server: FaultServer, deliver: Callable[..., Delivery]
) -> None:
    old = deliver(api_key="old", organization_id=None)
    first, second, third = llm_calls(1), llm_calls(2), llm_calls(1)
    old.submit(first)
    assert old.flush(PATIENCE)
    server.always(status(401))
    old.submit(second)
    assert not old.shutdown(2)
    server.always(None)
    new = deliver(api_key="new", organization_id=None)
    new.submit(third)
    eventually(lambda: new.flush(1) and len(server.accepted_ids) >= 4, "what waited is sent")
    assert sorted(server.accepted_ids) == sorted(ids_of([*first, *second, *third]))


def test_drain_sends_what_another_key_of_the_same_organization_left(
    server: FaultServer,
    deliver: Callable[..., Delivery],
    invoke: Callable[..., Result],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = llm_calls(3)
    for key, call in (("old", calls[0]), ("k", calls[1])):
        delivery = deliver(api_key=key, organization_id=None)
        delivery.submit([call])
        assert delivery.flush(PATIENCE)
        delivery.shutdown(1)
    server.stop()
    old = deliver(api_key="old", organization_id=None)
    old.submit(calls[2:])
    assert not old.shutdown(1)
    server.start()
    monkeypatch.delenv("OTEL_EXPORTER_ARTHUR_ORGANIZATION_ID")
    assert invoke("drain").exit_code == 0
    assert sorted(server.accepted_ids) == sorted(ids_of(calls))


@pytest.mark.parametrize("missing", ["api_key", "model_id"])
def test_a_flush_is_honest_where_nothing_can_be_sent(
    server: FaultServer, deliver: Callable[..., Delivery], missing: str
) -> None:
    unconfigured = deliver(**{missing: None})
    assert unconfigured.flush(1)
    calls = llm_calls(2)
    unconfigured.submit(calls)
    assert not unconfigured.flush(1)
    assert not unconfigured.shutdown(1)
    # The next run is not configured either, and what it would record waits there already.
    assert not deliver(**{missing: None}).flush(1)
    configured = deliver()
    if missing == "model_id":
        assert configured.adopt_all() == 2
    assert configured.flush(PATIENCE)
    assert sorted(server.accepted_ids) == sorted(ids_of(calls))


def test_what_has_no_route_is_told_apart_from_what_was_sent(
    server: FaultServer, deliver: Callable[..., Delivery]
) -> None:
    delivery = deliver(routes=(Route("billing-*", "billing"),), model_id=None)
    delivery.submit([llm_call(service_name="billing-api")])
    assert delivery.flush(PATIENCE)
    delivery.submit([llm_call(service_name="another")])
    assert not delivery.flush(10)
    assert len(server.accepted_ids) == 1
