"""Repetitions are told from news: by the keys in the index, and for live calls by those in memory."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from otel_arthur.spool.batches import BatchOutcome, NewBatch
from otel_arthur.spool.disk.keys import KeyLimits
from otel_arthur.spool.queue import appending
from otel_arthur.spool.queue.leases import Terms
from otel_arthur.spool.rows import Row, keys_of, pack_keys, unpack_keys
from otel_arthur.spool.spool import Spool
from tests.support.spans.spool_records import HERE, KIND, NUMBER, batch, leased_ids, rows


def live(count: int, start: int, ended: int) -> NewBatch:
    return NewBatch(KIND, rows(count, start=start), ended=(ended, ended), is_live=True)


def test_keys_are_remembered_by_generation_and_those_that_wait_always(
    opened: Callable[..., Spool],
) -> None:
    limits = KeyLimits(generation=100)
    spool = opened(limits)
    spool.append(HERE, batch(10))
    for start in range(1000, 2000, 50):
        spool.append(HERE, batch(50, start=start))
        for leased in spool.lease(NUMBER, KIND, Terms(rows=50)):
            if leased.rows[0] != rows(1)[0]:
                spool.finish([BatchOutcome(leased, sent=len(leased.rows))])
    assert spool.append(HERE, batch(10)) == (0, 10, 0)
    assert spool.append(HERE, batch(50, start=1950)) == (0, 50, 0)
    (remembered,) = spool.store.index.read(
        "SELECT (SELECT count(*) FROM keys_0) + (SELECT count(*) FROM keys_1)"
    )[0]
    assert remembered < 400


def test_keys_are_known_whether_they_lie_beside_one_another_or_are_folded(
    opened: Callable[..., Spool],
) -> None:
    limits = KeyLimits(recent_keys=100, recent_batches=4)
    spool = opened(limits)
    for start in range(0, 500, 30):
        assert spool.append(HERE, batch(30, start=start)) == (30, 0, 0)
        assert spool.append(HERE, batch(start + 30)) == (0, start + 30, 0)
    for number in range(1000, 1020):
        assert spool.append(HERE, batch(1, start=number)) == (1, 0, 0)
    ((folded, recent),) = spool.store.index.read(
        "SELECT (SELECT count(*) FROM keys_0), (SELECT count(*) FROM recent_keys)"
    )
    assert folded
    assert recent <= 4 + 1  # and what came after it was asked


def test_keys_of_an_application_that_never_asks_are_known_to_whoever_does(
    opened: Callable[..., Spool],
) -> None:
    """Of its calls those that wait and the latest generation, whether they come in few batches or in many."""
    limits = KeyLimits(generation=100, recent_keys=40, unasked_batches=8)
    spool = opened(limits)
    spool.append(HERE, live(10, 0, ended=1))
    end = 1000
    for size in (50, 1, 50, 3, 70):
        for _ in range(12):
            spool.append(HERE, live(size, end, ended=end))
            end += size
            for leased in spool.lease(NUMBER, KIND, Terms(rows=size)):
                if leased.rows[0] != rows(1)[0]:
                    spool.finish([BatchOutcome(leased, sent=len(leased.rows))])
            ((beside,),) = spool.store.index.read("SELECT sum(length(keys)) / 8 FROM recent_keys")
            assert beside <= 200
    assert opened(limits).append(HERE, batch(10)) == (0, 10, 0)
    assert opened(limits).append(HERE, batch(100, start=end - 100)) == (0, 100, 0)
    assert opened(limits).append(HERE, batch(5, start=end)) == (5, 0, 0)
    ((beside,),) = spool.store.index.read("SELECT sum(length(keys)) / 8 FROM recent_keys")
    assert beside < 100


def test_keys_are_moved_in_few_steps(opened: Callable[..., Spool]) -> None:
    """Each gives the interpreter's lock away, which a busy application may keep for long."""
    spool = opened()
    for start in range(0, 40_000, 500):
        spool.append(HERE, live(500, start, ended=start + 1))
    statements: list[str] = []
    with spool.store.index.transaction() as index:
        index.set_trace_callback(statements.append)
        spool.store.keys.known(index, [1])
        index.set_trace_callback(None)
        ((moved,),) = index.execute("SELECT count(*) FROM keys_0").fetchall()
    assert moved > 30_000
    assert len(statements) < 20


def test_keys_tell_destination_kind_id_and_version_apart() -> None:
    def key(destination: int, kind: int, row: Row) -> int:
        return keys_of(destination, kind, [row])[0]

    row = Row("a", b"{}")
    found = {
        key(1, 1, row),
        key(2, 1, row),
        key(1, 2, row),
        key(1, 2, Row("a", b"", version="corrected")),
        key(1, 1, Row("b", b"{}")),
    }
    assert len(found) == 5
    assert key(1, 1, Row("a", b"other", stem=1, after=("b",))) in found
    assert set(unpack_keys(pack_keys(list(found)))) == found


def test_what_comes_twice_is_known_to_be_live(
    opened: Callable[..., Spool],
) -> None:
    """A span that two processors export is recorded once, however late the second is."""
    limits = KeyLimits(latest=50)
    spool = opened(limits)
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
    opened: Callable[..., Spool],
) -> None:
    limits = KeyLimits(recent_batches=2, generation=5)
    spool = opened(limits)
    batches = range(1, 60)
    with spool.store.index.transaction() as index:
        for batch in batches:
            # Every seventh batch has the key again; the tables take turns meanwhile.
            spool.store.keys.add(index, [batch * 100, *([7] if batch % 7 == 0 else [])], batch)
            if batch >= 7:
                assert spool.store.keys.known(index, [7]) in ({}, {7: batch - batch % 7})
