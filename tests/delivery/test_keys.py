"""Repetitions are told from news: by the keys in the index, and for live calls by those in memory."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from otel_arthur.delivery import Delivery
from otel_arthur.spool import appending, keys
from otel_arthur.spool.batches import NewBatch, Settled
from otel_arthur.spool.leases import Limits
from otel_arthur.spool.records import Form, Kind, Record, key_of, pack_keys, split, unpack_keys
from otel_arthur.spool.spool import Spool
from tests.support.servers.fault_server import FaultServer
from tests.support.spans.llm_calls import ids_of, llm_call, llm_calls
from tests.support.spans.spool_records import HERE, NUMBER, inferences, leased_ids, records


def live(count: int, start: int, ended: int) -> NewBatch:
    return NewBatch(Kind.INFERENCE, Form.ROW, records(count, start=start), ended=(ended, ended), is_live=True)


def test_keys_are_remembered_by_generation_and_those_that_wait_always(
    opened: Callable[..., Spool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "GENERATION", 100)
    spool = opened()
    spool.append(HERE, inferences(10))
    for start in range(1000, 2000, 50):
        spool.append(HERE, inferences(50, start=start))
        for batch in spool.lease(NUMBER, Kind.INFERENCE, Limits(rows=50)):
            if batch.rows[0] != records(1)[0].row:
                spool.finish([Settled(batch, sent=len(batch.rows))])
    assert spool.append(HERE, inferences(10)) == (0, 10, 0)
    assert spool.append(HERE, inferences(50, start=1950)) == (0, 50, 0)
    (remembered,) = spool._store.index.read(
        "SELECT (SELECT count(*) FROM keys_0) + (SELECT count(*) FROM keys_1)"
    )[0]
    assert remembered < 400


def test_keys_are_known_whether_they_lie_beside_one_another_or_are_folded(
    opened: Callable[..., Spool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "RECENT_KEYS", 100)
    monkeypatch.setattr(keys, "RECENT_BATCHES", 4)
    spool = opened()
    for start in range(0, 500, 30):
        assert spool.append(HERE, inferences(30, start=start)) == (30, 0, 0)
        assert spool.append(HERE, inferences(start + 30)) == (0, start + 30, 0)
    for number in range(1000, 1020):
        assert spool.append(HERE, inferences(1, start=number)) == (1, 0, 0)
    ((folded, recent),) = spool._store.index.read(
        "SELECT (SELECT count(*) FROM keys_0), (SELECT count(*) FROM recent_keys)"
    )
    assert folded
    assert recent <= 4 + 1  # and what came after it was asked


def test_keys_of_an_application_that_never_asks_are_known_to_whoever_does(
    opened: Callable[..., Spool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of its calls those that wait and the latest generation, whether they come in few batches or in many."""
    monkeypatch.setattr(keys, "GENERATION", 100)
    monkeypatch.setattr(keys, "RECENT_KEYS", 40)
    monkeypatch.setattr(keys, "UNASKED_BATCHES", 8)
    spool = opened()
    spool.append(HERE, live(10, 0, ended=1))
    end = 1000
    for size in (50, 1, 50, 3, 70):
        for _ in range(12):
            spool.append(HERE, live(size, end, ended=end))
            end += size
            for batch in spool.lease(NUMBER, Kind.INFERENCE, Limits(rows=size)):
                if batch.rows[0] != records(1)[0].row:
                    spool.finish([Settled(batch, sent=len(batch.rows))])
            ((beside,),) = spool._store.index.read("SELECT sum(length(keys)) / 8 FROM recent_keys")
            assert beside <= 200
    assert opened().append(HERE, inferences(10)) == (0, 10, 0)
    assert opened().append(HERE, inferences(100, start=end - 100)) == (0, 100, 0)
    assert opened().append(HERE, inferences(5, start=end)) == (5, 0, 0)
    ((beside,),) = spool._store.index.read("SELECT sum(length(keys)) / 8 FROM recent_keys")
    assert beside < 100


def test_keys_are_moved_in_few_steps(opened: Callable[..., Spool]) -> None:
    """Each gives the interpreter's lock away, which a busy application may keep for long."""
    spool = opened()
    for start in range(0, 40_000, 500):
        spool.append(HERE, live(500, start, ended=start + 1))
    statements: list[str] = []
    with spool._store.index.transaction() as index:
        index.set_trace_callback(statements.append)
        keys.known(index, [1])
        index.set_trace_callback(None)
        ((moved,),) = index.execute("SELECT count(*) FROM keys_0").fetchall()
    assert moved > 30_000
    assert len(statements) < 20


def test_keys_tell_destination_kind_and_id_apart() -> None:
    record = Record("a", b"{}")
    found = {
        key_of(1, Kind.INFERENCE, record),
        key_of(2, Kind.INFERENCE, record),
        key_of(1, Kind.GROUND_TRUTH, record),
        key_of(1, Kind.GROUND_TRUTH, Record("a", b'{"corrected":1}')),
        key_of(1, Kind.INFERENCE, Record("b", b"{}")),
    }
    assert len(found) == 5
    assert key_of(1, Kind.INFERENCE, Record("a", b"other")) in found
    assert set(unpack_keys(pack_keys(list(found)))) == found
    assert split(b"") == []


def test_what_comes_twice_is_known_to_be_live(
    opened: Callable[..., Spool], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A span that two processors export is recorded once, however late the second is."""
    monkeypatch.setattr(keys, "LATEST", 50)
    spool = opened()
    sizes = [1, 7, 20, 60, 3, 40, 1, 1, 1, 1, 1, 1, 1, 30]
    for number, size in enumerate(sizes, start=1):
        assert spool.append(HERE, live(size, 1000 * number, ended=number)) == (size, 0, 0)
        assert spool.append(HERE, live(size, 1000 * number, ended=number)) == (0, size, 0)
    for number, size in enumerate(sizes, start=1):
        assert spool.append(HERE, live(size, 1000 * number, ended=number)) == (0, size, 0)


def test_two_exporters_of_one_process_know_each_others_live_calls(opened: Callable[..., Spool]) -> None:
    first, second = opened(), opened()
    assert first.append(HERE, live(5, 0, ended=1)) == (5, 0, 0)
    assert second.append(HERE, live(7, 0, ended=1)) == (2, 5, 0)
    assert first.append(HERE, live(7, 0, ended=1)) == (0, 7, 0)


def test_what_could_not_be_written_is_no_repetition_later(
    opened: Callable[..., Spool], monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = opened()

    def die(*_args: object) -> None:
        raise OSError("the disk is gone")

    with monkeypatch.context() as broken:
        broken.setattr(appending, "count", die)
        with pytest.raises(OSError, match="gone"):
            spool.append(HERE, live(5, 0, ended=1))
    assert spool.append(HERE, live(5, 0, ended=1)) == (5, 0, 0)
    assert leased_ids(spool) == [f"id-{n}" for n in range(5)]


def test_a_key_is_of_the_batch_in_which_it_came_last(
    opened: Callable[..., Spool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "RECENT_BATCHES", 2)
    monkeypatch.setattr(keys, "GENERATION", 5)
    spool = opened()
    batches = range(1, 60)
    with spool._store.index.transaction() as index:
        for batch in batches:
            # Every seventh batch has the key again; the tables take turns meanwhile.
            keys.add(index, [batch * 100, *([7] if batch % 7 == 0 else [])], batch)
            if batch >= 7:
                assert keys.known(index, [7]) in ({}, {7: batch - batch % 7})


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
    assert delivery.flush(10)
    assert server.accepted_ids == ids_of(calls)


def test_a_scope_that_is_no_text_costs_only_the_comparison(
    server: FaultServer, deliver: Callable[..., Delivery]
) -> None:
    delivery = deliver(duplicate_window=5.0)
    calls = [llm_call("odd", scope="\ud800"), llm_call("even")]
    delivery.submit(calls)
    assert delivery.flush(10)
    assert server.accepted_ids == ids_of(calls)
