"""What becomes of rows under each answer that Arthur, or something in its place, can give."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from otel_arthur.delivery import Delivery
from tests.support.books import balance
from tests.support.servers.fault_behaviours import (
    accepted_answer,
    at_most,
    cut_body,
    garbage,
    hang,
    html,
    lose_answer,
    refuse_rows,
    reply,
    reset_after_reading,
    reset_before_reading,
    row_statuses,
    status,
    truncated_json,
)
from tests.support.servers.fault_server import FaultServer
from tests.support.spans.llm_calls import ids_of, llm_call, llm_calls
from tests.support.waiting import PATIENCE, eventually

PASSING = {
    "503": status(503),
    "500": status(500),
    "429": status(429),
    "408": status(408),
    "425": status(425),
    "429 with Retry-After": status(429, {"Retry-After": "1"}),
    "reset before reading": reset_before_reading(),
    "reset after reading": reset_after_reading(),
    "a lost answer": lose_answer(),
    "an answer cut in the middle": cut_body(),
    "half of the JSON": truncated_json(),
    "a hang": hang(),
    "a proxy's page": html(200),
    "no HTTP": garbage(),
    "an empty 200": reply(lambda rows: {}, 200, taken=False),
    "counts that contradict": reply(lambda rows: {"counts": {"success": 0, "failure": 9, "total": 9}}),
    "server errors for rows": row_statuses(500),
}


@pytest.mark.parametrize("fault", PASSING.values(), ids=PASSING.keys())
def test_what_passes_is_retried_and_each_call_arrives(
    server: FaultServer, deliver: Callable[..., Delivery], fault: Any
) -> None:
    server.script(fault)
    delivery = deliver(timeout=2.0)
    calls = llm_calls(20)
    delivery.submit(calls)
    eventually(lambda: delivery.flush(5), "everything is sent")
    assert set(server.accepted_ids) == set(ids_of(calls))
    counts = delivery.counts()
    assert (counts.sent, counts.left) == (20, 0)
    balance(counts)


def test_eight_faults_in_a_row(server: FaultServer, deliver: Callable[..., Delivery]) -> None:
    server.script(
        status(503),
        reset_before_reading(),
        html(200),
        status(429, {"Retry-After": "0"}),
        reset_after_reading(),
        lose_answer(),
        row_statuses(200, 500),
        truncated_json(),
    )
    delivery = deliver()
    calls = llm_calls(100)
    delivery.submit(calls)
    eventually(lambda: delivery.flush(5), "a flush that sees all ended")
    assert set(server.accepted_ids) == set(ids_of(calls))
    assert len(server.sends) >= 9
    # The three answers that took rows without saying so present those rows again, always as the same ids.
    assert max(Counter(server.accepted_ids).values()) <= 4
    balance(delivery.counts())


def test_a_row_that_exists_is_delivered(server: FaultServer, deliver: Callable[..., Delivery]) -> None:
    server.script(row_statuses(200, 409, (400, "partner_inference_id already exists")))
    delivery = deliver()
    delivery.submit(llm_calls(9))
    assert delivery.flush(PATIENCE)
    assert (delivery.counts().sent, delivery.counts().dead_letter) == (9, 0)


def test_poison_rows_become_dead_letters_and_hold_nobody(
    server: FaultServer, deliver: Callable[..., Delivery], caplog: pytest.LogCaptureFixture
) -> None:
    def poisoned(row: dict[str, Any]) -> tuple[int, str] | None:
        return (400, "bad: poison") if "poison" in row["inference_data"]["input_text"] else None

    server.always(refuse_rows(poisoned))
    delivery = deliver()
    poison = [llm_call("poison one"), llm_call("poison two")]
    good = llm_calls(30)
    delivery.submit([*good, *poison])
    assert delivery.flush(PATIENCE)
    assert set(server.accepted_ids) == set(ids_of(good))
    dead = list(delivery._spool.letters())
    assert {letter.id for letter in dead} == set(ids_of(poison))
    assert all(letter.reason == "400 bad: poison" for letter in dead)
    assert len(server.sends) == 1
    # A flush sees that the rows are gone; the thread that sent them says its line after that.
    eventually(lambda: "dead-letters list" in caplog.text, "it is said")
    warnings = [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]
    assert len([line for line in warnings if "dead-letters list" in line]) == 1
    assert not any("poison" in line for line in warnings)
    balance(delivery.counts())


def test_413_halves_down_to_the_one_row_that_is_too_large(
    server: FaultServer, deliver: Callable[..., Delivery]
) -> None:
    server.always(at_most(4000))
    delivery = deliver()
    huge = llm_call("y" * 6000)
    good = llm_calls(16, size=500)
    delivery.submit([*good[:5], huge, *good[5:]])
    assert delivery.flush(PATIENCE)
    assert sorted(server.accepted_ids) == sorted(ids_of(good))
    (letter,) = delivery._spool.letters()
    assert letter.id in ids_of([huge])
    assert letter.reason.startswith("413")
    balance(delivery.counts())


def test_a_request_refused_for_one_row_is_bisected(
    server: FaultServer, deliver: Callable[..., Delivery]
) -> None:
    def strict(exchange: Any) -> None:
        exchange.read_body()
        rows = exchange.request.rows
        if any("poison" in row["inference_data"]["input_text"] for row in rows):
            exchange.answer_json(400, {"error": "bad request"})
        else:
            exchange.accepted(rows)
            exchange.answer_json(207, accepted_answer(rows))

    server.always(strict)
    delivery = deliver()
    poison = llm_call("poison")
    good = llm_calls(20)
    delivery.submit([*good, poison])
    assert delivery.flush(PATIENCE)
    assert sorted(server.accepted_ids) == sorted(ids_of(good))
    assert [letter.id for letter in delivery._spool.letters()] == ids_of([poison])


def test_a_refusal_of_everything_makes_no_dead_letters(
    server: FaultServer, deliver: Callable[..., Delivery]
) -> None:
    server.always(status(400))
    delivery = deliver()
    calls = llm_calls(40)
    delivery.submit(calls)
    assert not delivery.flush(2)
    assert delivery.counts().left == 40
    assert not list(delivery._spool.letters())
    server.always(None)
    assert delivery.flush(PATIENCE)
    assert sorted(server.accepted_ids) == sorted(ids_of(calls))


@pytest.mark.parametrize("code", [401, 403, 404, 402])
def test_what_a_person_must_mend_is_held_and_said_once(
    server: FaultServer, deliver: Callable[..., Delivery], caplog: pytest.LogCaptureFixture, code: int
) -> None:
    server.always(status(code))
    delivery = deliver()
    calls = llm_calls(5)
    delivery.submit(calls)

    def lines() -> list[str]:
        return [r.getMessage() for r in caplog.records if str(code) in r.getMessage()]

    eventually(lines, "it is said")
    assert not delivery.flush(1)
    assert not delivery.flush(1)
    assert not server.accepted_ids
    assert len(lines()) == 1
    server.always(None)
    assert delivery.flush(PATIENCE)
    assert sorted(server.accepted_ids) == sorted(ids_of(calls))


def test_a_login_that_expired_is_renewed_once(server: FaultServer, deliver: Callable[..., Delivery]) -> None:
    server.script(status(401))
    delivery = deliver(api_key=None, login="me", password="secret")
    calls = llm_calls(5)
    delivery.submit(calls)
    assert delivery.flush(PATIENCE)
    assert [r.path for r in server.requests].count("/api/v3/login") == 2
    assert sorted(server.accepted_ids) == sorted(ids_of(calls))


def test_retry_after_is_obeyed_even_by_a_flush(server: FaultServer, deliver: Callable[..., Delivery]) -> None:
    server.script(status(429, {"Retry-After": "3600"}))
    delivery = deliver()
    delivery.submit(llm_calls(3))
    eventually(lambda: server.sends, "it is tried")
    assert not delivery.flush(1)
    assert not delivery.flush(1)
    assert len(server.sends) == 1


def test_an_attribute_that_the_model_lost_is_left_out(
    server: FaultServer, deliver: Callable[..., Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    from otel_arthur.arthur.target import presenting

    delivery = deliver()
    first = llm_calls(3)
    delivery.submit(first)
    assert delivery.flush(PATIENCE)
    kept = [a for a in server.model["attributes"] if a["name"] != "finish_reason"]
    server.model = {**server.model, "attributes": kept}
    server.always(refuse_rows(lambda r: (400, "unknown") if "finish_reason" in r["inference_data"] else None))
    monkeypatch.setattr(presenting, "RECHECK_SECONDS", 0.0)
    second = llm_calls(3)
    delivery.submit(second)
    eventually(lambda: delivery.flush(5), "a flush that sees all ended")
    assert sorted(server.accepted_ids) == sorted(ids_of(first + second))
    assert delivery.counts().dead_letter == 0


def test_a_model_without_texts_keeps_the_records(
    server: FaultServer, deliver: Callable[..., Delivery], caplog: pytest.LogCaptureFixture
) -> None:
    whole = server.model
    server.model = {**whole, "attributes": [a for a in whole["attributes"] if a["name"] != "output_text"]}
    delivery = deliver()
    calls = llm_calls(3)
    delivery.submit(calls)
    eventually(lambda: "otel-arthur onboard" in caplog.text, "it is said")
    assert not delivery.flush(1)
    server.model = whole
    assert delivery.flush(PATIENCE)
    assert sorted(server.accepted_ids) == sorted(ids_of(calls))


def test_failed_calls_need_a_place_in_the_model(
    server: FaultServer, deliver: Callable[..., Delivery]
) -> None:
    delivery = deliver()
    good = llm_calls(2)
    delivery.submit([*good, *llm_calls(3, failed=True, error_type="Timeout", choices=())])
    assert delivery.flush(PATIENCE)
    late = delivery.submit(llm_calls(1, failed=True, choices=()))
    assert late.skipped == {"failed call": 1}
    counts = delivery.counts()
    assert counts.skipped == {"failed call": 4}
    assert sorted(server.accepted_ids) == sorted(ids_of(good))
    balance(counts)


def test_a_reader_that_breaks_costs_no_call_before_it(
    server: FaultServer, deliver: Callable[..., Delivery]
) -> None:
    delivery = deliver()
    calls = llm_calls(3)

    def read() -> object:
        yield from calls
        raise RuntimeError("broken")

    with pytest.raises(RuntimeError, match="broken"):
        delivery.submit(read())  # type: ignore[arg-type]
    assert delivery.flush(PATIENCE)
    assert server.accepted_ids == ids_of(calls)
