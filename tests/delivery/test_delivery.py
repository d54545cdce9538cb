"""The delivery's promises to its callers: what is taken, routed, sampled, refused, flushed, counted."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otel_arthur.configuration import Configuration, Route
from otel_arthur.delivery import Delivery
from tests.support.books import balance
from tests.support.rested_disk import ask_again
from tests.support.servers.fault_behaviours import hang
from tests.support.servers.fault_server import FaultServer
from tests.support.spans.llm_calls import ids_of, llm_call, llm_calls
from tests.support.waiting import PATIENCE, eventually


def test_many_choices_are_as_many_inferences(server: FaultServer, deliver: Callable[..., Delivery]) -> None:
    call = llm_call("two answers")
    call = llm_call("two answers", choices=call.choices * 2)
    delivery = deliver()
    assert delivery.submit([call]).spooled == 2
    assert delivery.flush(PATIENCE)
    assert sorted(server.accepted_ids) == sorted(ids_of([call]))


def test_what_is_presented_again_is_known(server: FaultServer, deliver: Callable[..., Delivery]) -> None:
    delivery = deliver()
    calls = llm_calls(30)
    delivery.submit(calls)
    delivery.submit(calls[:10])
    assert delivery.flush(PATIENCE)
    assert delivery.submit(calls).spooled == 30
    assert delivery.flush(PATIENCE)
    assert sorted(server.accepted_ids) == sorted(ids_of(calls))
    assert delivery.counts().known == 40
    balance(delivery.counts())


def test_a_second_process_knows_what_the_first_sent(
    server: FaultServer, deliver: Callable[..., Delivery]
) -> None:
    calls = llm_calls(5)
    for _ in range(2):
        delivery = deliver()
        delivery.submit(calls)
        assert delivery.flush(PATIENCE)
        delivery.shutdown(1)
    assert sorted(server.accepted_ids) == sorted(ids_of(calls))


def test_routes_by_service_then_request_model(server: FaultServer, deliver: Callable[..., Delivery]) -> None:
    delivery = deliver(routes=(Route("billing-*", "billing"), Route("gpt-*", "gpt")), model_id="rest")
    sent = {
        "billing": llm_call(service_name="billing-api", request_model="gpt-4"),
        "gpt": llm_call(service_name="support", request_model="gpt-4"),
        "rest": llm_call(service_name="support", request_model="claude"),
        "named": llm_call(),
    }
    delivery.submit([sent["billing"], sent["gpt"], sent["rest"]])
    delivery.submit([sent["named"]], model_id="named")
    assert delivery.flush(PATIENCE)
    arrived = {request.path.split("/")[4]: request.ids for request in server.sends}
    assert arrived == {model: ids_of([call]) for model, call in sent.items()}


def test_a_trace_is_sampled_whole_and_the_rest_counted(
    server: FaultServer, deliver: Callable[..., Delivery]
) -> None:
    calls = llm_calls(200)
    siblings = [llm_call("sibling", trace_id=call.trace_id) for call in calls]
    delivery = deliver(sample_ratio=0.5)
    taken = delivery.submit(calls)
    delivery.submit(siblings)
    assert delivery.flush(PATIENCE)
    arrived = {identity.split("-")[0] for identity in server.accepted_ids}
    assert 0 < len(arrived) < 200
    assert len(server.accepted_ids) == 2 * len(arrived)
    assert taken.skipped == {"not sampled": 200 - len(arrived)}
    balance(delivery.counts())


def test_a_full_spool_refuses_what_is_new_and_keeps_what_it_has(
    server: FaultServer, deliver: Callable[..., Delivery], caplog: pytest.LogCaptureFixture
) -> None:
    server.stop()
    delivery = deliver(spool_max_bytes=30_000)
    kept = llm_calls(20, size=100)
    assert delivery.submit(kept).refused == 0
    refused = delivery.submit(llm_calls(20, size=1500))
    assert (refused.spooled, refused.refused) == (0, 20)
    assert len([r for r in caplog.records if "spool is full" in r.getMessage()]) == 1
    server.start()
    assert delivery.flush(PATIENCE)
    assert sorted(server.accepted_ids) == sorted(ids_of(kept))
    assert delivery.counts().lost == {"spool full": 20}
    balance(delivery.counts())


def test_an_age_limit_gives_up_and_counts(server: FaultServer, deliver: Callable[..., Delivery]) -> None:
    server.stop()
    first = deliver()
    first.submit(llm_calls(3))
    assert not first.shutdown(1)
    time.sleep(0.3)
    server.start()
    second = deliver(spool_max_age=0.2)
    second.start()
    assert eventually(lambda: second.counts().lost, "giving up") == {"age limit": 3}
    assert not server.accepted_ids


def test_flush_ends_by_its_deadline_when_arthur_hangs(
    server: FaultServer, deliver: Callable[..., Delivery]
) -> None:
    server.always(hang())
    delivery = deliver(timeout=3600.0)
    delivery.submit(llm_calls(3))
    done = threading.Event()
    thread = threading.Thread(target=lambda: (delivery.flush(0.5), delivery.shutdown(0.5), done.set()))
    thread.start()
    # Far below the hour of the request that hangs: the deadline ended it, nothing else can have.
    assert done.wait(PATIENCE)
    thread.join()
    assert delivery.counts().left == 3


def test_flush_ends_by_its_deadline_while_another_process_holds_the_spool(
    server: FaultServer, deliver: Callable[..., Delivery], spool_dir: Path
) -> None:
    delivery = deliver()
    delivery.submit(llm_calls(1))
    assert delivery.flush(PATIENCE)
    delivery.skip("no content", 2)
    done = threading.Event()
    with contextlib.closing(sqlite3.connect(spool_dir / "spool.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        thread = threading.Thread(target=lambda: (delivery.flush(0.3), done.set()))
        thread.start()
        # Far below the 30 s for which a writer waits otherwise.
        assert done.wait(PATIENCE)
        other.execute("ROLLBACK")
    thread.join()
    assert delivery._spool.status().skipped == {}
    assert delivery.flush(PATIENCE)
    assert delivery._spool.status().skipped == {"no content": 2}


def test_nothing_is_written_for_others_to_read(
    server: FaultServer, deliver: Callable[..., Delivery], spool_dir: Path
) -> None:
    server.stop()
    delivery = deliver(api_key="the-secret-key", organization_id=None)
    delivery.submit(llm_calls(40, size=2000))
    delivery.flush(0.5)
    files = [spool_dir, *spool_dir.rglob("*")]
    assert any(path.suffix == ".rows" for path in files)
    for path in files:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else mode & 0o600), path
        if path.is_file():
            assert b"the-secret-key" not in path.read_bytes()


def test_memory_is_a_spool_too(server: FaultServer, deliver: Callable[..., Delivery]) -> None:
    delivery = deliver(spool_dir=None)
    calls = llm_calls(60, size=2000)
    delivery.submit(calls)
    assert delivery.flush(PATIENCE)
    assert sorted(server.accepted_ids) == sorted(ids_of(calls))
    balance(delivery.counts())


@pytest.mark.parametrize("broken", ["a file", "not writable", "not a spool"])
def test_a_folder_that_cannot_be_used_is_one_warning_and_memory(
    server: FaultServer,
    deliver: Callable[..., Delivery],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    broken: str,
) -> None:
    folder = tmp_path / "broken"
    if broken == "a file":
        folder.write_text("")
    elif broken == "not writable":
        # A name that is too long: the superuser may write anywhere.
        folder = tmp_path / ("x" * 300)
    else:
        folder.mkdir()
        with sqlite3.connect(folder / "spool.db") as other:
            other.execute("CREATE TABLE theirs (a)")
        other.close()
    delivery = deliver(spool_dir=folder)
    calls = llm_calls(2)
    delivery.submit(calls)
    assert delivery.flush(PATIENCE)
    assert sorted(server.accepted_ids) == sorted(ids_of(calls))
    assert len([r for r in caplog.records if "kept in memory" in r.getMessage()]) == 1


def test_spans_skipped_by_the_reader_are_in_the_books(
    server: FaultServer, deliver: Callable[..., Delivery]
) -> None:
    delivery = deliver()
    delivery.skip("no content", 3)
    delivery.submit(llm_calls(2))
    delivery.skip("unreadable")
    assert delivery.flush(PATIENCE)
    counts = delivery.counts()
    assert counts.received == 6
    assert counts.skipped == {"no content": 3, "unreadable": 1}
    assert delivery._spool.status().skipped == {"no content": 3, "unreadable": 1}
    balance(counts)


def test_many_threads_and_requests_in_flight(server: FaultServer, deliver: Callable[..., Delivery]) -> None:
    from tests.support.servers.fault_behaviours import delay

    server.always(delay(0.05))
    delivery = deliver()
    delivery.submit(llm_calls(1))
    assert delivery.flush(PATIENCE)
    groups = [[llm_calls(60, size=50) for _ in range(5)] for _ in range(4)]

    def submit(group: list[list[Any]]) -> None:
        for calls in group:
            delivery.submit(calls)

    threads = [threading.Thread(target=submit, args=(group,)) for group in groups]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert delivery.flush(PATIENCE)
    expected = [identity for group in groups for calls in group for identity in ids_of(calls)]
    assert sorted(server.accepted_ids[1:]) == sorted(expected)
    assert all(len(request.ids) <= 512 for request in server.sends)
    balance(delivery.counts())


def test_errors_never_leave_submit(
    configured: Callable[..., Configuration], spool_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    delivery = Delivery(configured(), metrics=False)
    delivery._spool.close()
    spool_dir.rename(spool_dir.with_name("moved"))
    spool_dir.write_text("a file in the folder's place")
    submitted = delivery.submit(llm_calls(2))
    assert (submitted.refused, submitted.in_memory) == (0, 2)
    assert any("cannot be used now" in r.getMessage() for r in caplog.records)
    assert caplog.records[-1].levelno == logging.WARNING
    spool_dir.unlink()
    ask_again(delivery._spool)
    assert delivery.submit(llm_calls(2)).spooled == 2
    delivery.shutdown(0.2)
