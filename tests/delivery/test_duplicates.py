"""The duplicate window: one call told twice is one inference, across batches and processes."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest
from msgspec.structs import replace

from otel_arthur.arthur.target.duplicates import ArthurJudge
from otel_arthur.delivery import Delivery
from otel_arthur.genai.call import LLMCall
from otel_arthur.genai.duplicates.evidence import evidence_of
from otel_arthur.genai.duplicates.matching import duplicates
from otel_arthur.spool.disk import duplicates as duplicates_on_disk
from otel_arthur.spool.spool import Spool
from tests.support.books import balance
from tests.support.servers.fault_server import FaultServer
from tests.support.spans.llm_calls import ids_of, llm_call, llm_calls
from tests.support.waiting import PATIENCE, eventually

PROVIDER = "opentelemetry.instrumentation.openai_v2"


def told_twice(text: str = "twice") -> tuple[LLMCall, LLMCall]:
    """A framework's and a provider's description of one call: winner, loser."""
    outer = llm_call(text, response_id="chatcmpl-1" + text)
    inner = replace(
        outer,
        span_id="f" * 16,
        parent_span_id=outer.span_id,
        scope=PROVIDER,
        start_ns=outer.start_ns + 1000,
        end_ns=outer.end_ns - 1000,
    )
    ((_, winner),) = duplicates([evidence_of(outer), evidence_of(inner)]).items()
    return (outer, inner) if winner[1] == outer.span_id else (inner, outer)


@pytest.mark.parametrize("apart", [False, True], ids=["one batch", "two batches"])
@pytest.mark.parametrize("reverse", [False, True], ids=["winner first", "loser first"])
def test_one_of_two_descriptions_is_sent(
    server: FaultServer, deliver: Callable[..., Delivery], apart: bool, reverse: bool
) -> None:
    delivery = deliver(duplicate_window=30.0)
    winner, loser = told_twice()
    others = llm_calls(5)
    pair = [loser, winner] if reverse else [winner, loser]
    if apart:
        delivery.submit([pair[0], *others])
        delivery.submit([pair[1]])
    else:
        delivery.submit([*pair, *others])
    assert delivery.flush(PATIENCE)
    assert sorted(server.accepted_ids) == sorted(ids_of([winner, *others]))
    assert delivery.counts().duplicate == 1
    balance(delivery.counts())


def test_a_half_is_never_sent_for_itself(server: FaultServer, deliver: Callable[..., Delivery]) -> None:
    delivery = deliver(duplicate_window=30.0)
    half, call = llm_calls(2)
    delivery.submit([replace(half, messages=(), choices=(), is_half=True)])
    delivery.submit([call])
    assert delivery.flush(PATIENCE)
    assert server.accepted_ids == ids_of([call])
    balance(delivery.counts())


@pytest.mark.parametrize("apart", [False, True], ids=["one batch", "two batches"])
def test_what_is_sent_takes_what_it_lacks_from_what_is_not(
    server: FaultServer, deliver: Callable[..., Delivery], apart: bool
) -> None:
    """One scope recorded the call twice: the answer's words on one span, its end on the other."""
    delivery = deliver(duplicate_window=30.0)
    outer = llm_call("twice", response_id="chatcmpl-1")
    (choice,) = outer.choices
    winner = replace(outer, choices=(replace(choice, finish_reason=None),), conversation_id="c")
    loser = replace(outer, span_id="f" * 16, parent_span_id=outer.span_id, conversation_id=None)
    loser = replace(loser, choices=(replace(choice, finish_reason="length"),), temperature=None)
    assert duplicates([evidence_of(winner), evidence_of(loser)])
    for calls in [[winner], [loser]] if apart else [[loser, winner]]:
        delivery.submit(calls)
    assert delivery.flush(PATIENCE)
    [row] = server.accepted_rows
    assert row["inference_data"]["finish_reason"] == "length"
    assert row["inference_data"]["output_text"] == choice.message.text
    assert delivery.counts().duplicate == 1
    balance(delivery.counts())


def test_a_call_told_once_before_an_upgrade_of_the_spool_is_one(
    server: FaultServer, deliver: Callable[..., Delivery]
) -> None:
    """Format 1 has digests of words where there are checksums now."""
    delivery = deliver(duplicate_window=30.0)
    winner, loser = told_twice()
    delivery.submit([winner])
    assert delivery._spool._disk is not None
    disk = delivery._spool._disk.spool
    assert disk is not None
    with disk.store.index.transaction() as index:
        ((body,),) = index.execute("SELECT body FROM evidence").fetchall()
        (values,) = orjson.loads(body)
        values[8:10] = "0123456789abcdef", "fedcba9876543210"
        index.execute("UPDATE evidence SET body = ?", (orjson.dumps([values]),))
    delivery.submit([loser])
    assert delivery.flush(PATIENCE)
    assert server.accepted_ids == ids_of([winner])
    assert delivery.counts().duplicate == 1


def test_two_processes_see_one_call(server: FaultServer, deliver: Callable[..., Delivery]) -> None:
    first, second = deliver(duplicate_window=30.0), deliver(duplicate_window=30.0)
    winner, loser = told_twice()
    first.submit([loser])
    second.submit([winner])
    assert first.flush(PATIENCE)
    assert second.flush(PATIENCE)
    assert server.accepted_ids == ids_of([winner])


def test_a_winner_that_comes_after_its_loser_was_sent_is_the_duplicate(
    server: FaultServer, deliver: Callable[..., Delivery]
) -> None:
    delivery = deliver(duplicate_window=30.0)
    winner, loser = told_twice()
    delivery.submit([loser])
    assert delivery.flush(PATIENCE)
    delivery.submit([winner])
    assert delivery.flush(PATIENCE)
    assert server.accepted_ids == ids_of([loser])
    assert delivery.counts().duplicate == 1
    # And so it stays when both are replayed.
    delivery.submit([winner, loser])
    assert delivery.flush(PATIENCE)
    assert server.accepted_ids == ids_of([loser])
    balance(delivery.counts())


def test_a_second_description_that_nobody_expected_is_the_duplicate(
    server: FaultServer, deliver: Callable[..., Delivery]
) -> None:
    delivery = deliver(duplicate_window=3600.0)
    winner, loser = told_twice()
    delivery.submit([loser], is_one=lambda _labels: True)
    assert server.wait_for(1)
    delivery.submit([winner], is_one=lambda _labels: True)
    eventually(lambda: delivery.counts().duplicate == 1, "the second description is the duplicate")
    assert server.accepted_ids == ids_of([loser])


def test_real_calls_with_equal_words_are_all_sent(
    server: FaultServer, deliver: Callable[..., Delivery]
) -> None:
    delivery = deliver(duplicate_window=30.0)
    calls = [llm_call("the same") for _ in range(6)]
    delivery.submit(calls)
    assert delivery.flush(PATIENCE)
    assert sorted(server.accepted_ids) == sorted(ids_of(calls))


def test_duplicates_in_a_large_batch_are_passed_over_when_the_batch_is_read(
    server: FaultServer, deliver: Callable[..., Delivery], spool_dir: Path
) -> None:
    """It is not written anew, and another process reads it as this one does."""
    pairs = [told_twice(f"{n} {'x' * 3000}") for n in range(20)]
    deliver(duplicate_window=3600.0).submit([call for pair in pairs for call in pair])
    files = list((spool_dir / "bodies").iterdir())
    spool = Spool(spool_dir, 1 << 30)
    (number,) = (one.number for one, _ in spool.destinations())
    assert spool.close_window(number, 3600.0, ArthurJudge(), at_once=True) == 20
    assert list((spool_dir / "bodies").iterdir()) == files != []
    assert deliver().flush(PATIENCE)
    assert server.accepted_ids == ids_of([winner for winner, _ in pairs])


def test_the_window_holds_and_then_lets_go(server: FaultServer, deliver: Callable[..., Delivery]) -> None:
    delivery = deliver(duplicate_window=1.0)
    calls = llm_calls(3)
    began = time.monotonic()
    delivery.submit(calls)
    assert server.wait_for(3)
    assert time.monotonic() - began >= 1.0
    assert sorted(server.accepted_ids) == sorted(ids_of(calls))


@pytest.mark.parametrize("recent", [0, 100], ids=["in the table", "among the recent"])
def test_ground_truth_for_a_suppressed_duplicate_goes_to_the_kept_inference(
    server: FaultServer, deliver: Callable[..., Delivery], monkeypatch: pytest.MonkeyPatch, recent: int
) -> None:
    monkeypatch.setattr(duplicates_on_disk, "_RECENT", recent)
    delivery = deliver(duplicate_window=30.0)
    winner, loser = told_twice()
    delivery.submit([winner, loser])
    assert delivery.flush(PATIENCE)
    (lost,) = ids_of([loser])
    delivery.submit_ground_truth(
        [
            {
                "partner_inference_id": lost,
                "ground_truth_timestamp": "2026-11-22T12:00:00+00:00",
                "ground_truth_data": {"expected_text": "Paris"},
            }
        ]
    )
    assert delivery.flush(PATIENCE)
    patched = [r.ids for r in server.sends if r.method == "PATCH"]
    assert patched == [ids_of([winner])]


def test_the_books_of_the_spool_hold(server: FaultServer, deliver: Callable[..., Delivery]) -> None:
    delivery = deliver(duplicate_window=30.0)
    pairs = [told_twice(f"pair {n}") for n in range(10)]
    delivery.submit([call for pair in pairs for call in pair])
    assert delivery.flush(PATIENCE)
    (destination,) = (d for d in delivery._spool.status().destinations if d.destination.identity)
    outcomes = destination.outcomes[1]
    assert outcomes["appended"] == 20
    assert outcomes["sent"] + outcomes["duplicate"] == 20
    assert outcomes["duplicate"] == 10


def test_a_scope_that_is_no_text_costs_only_the_comparison(
    server: FaultServer, deliver: Callable[..., Delivery]
) -> None:
    delivery = deliver(duplicate_window=5.0)
    calls = [llm_call("odd", scope="\ud800"), llm_call("even")]
    delivery.submit(calls)
    assert delivery.flush(PATIENCE)
    assert server.accepted_ids == ids_of(calls)
