"""Rows that correct earlier ones of their id: each is news, and none overtakes another."""

from __future__ import annotations

from collections.abc import Callable

from otel_arthur.spool.batches import Batch, BatchOutcome, NewBatch
from otel_arthur.spool.queue.leases import Terms
from otel_arthur.spool.rows import Row
from otel_arthur.spool.spool import Spool
from tests.support.spans.spool_records import HERE, NUMBER

TRUTH = 2
IN_ORDER = Terms(in_order=True)


def truths(*said: str) -> NewBatch:
    """Each "id=value"."""
    pairs = [one.split("=") for one in said]
    return NewBatch(TRUTH, [Row(name, value.encode(), 0, value) for name, value in pairs])


def leased(spool: Spool) -> list[Batch]:
    return spool.lease(NUMBER, TRUTH, IN_ORDER)


def told(batches: list[Batch]) -> list[str]:
    return [f"{row.id}={row.version}" for batch in batches for row in batch.rows]


def send_all(spool: Spool) -> list[str]:
    """What a target sees, in its order."""
    seen: list[str] = []
    while spool.waiting([NUMBER]):
        spool.release(NUMBER)
        batches = leased(spool)
        seen += told(batches)
        spool.finish([BatchOutcome(batch, sent=len(batch.rows)) for batch in batches])
    return seen


def test_a_correction_waits_for_what_it_corrects_and_nothing_else_does(opened: Callable[..., Spool]) -> None:
    first, second = opened(), opened()
    first.append(HERE, truths("a=1", "b=1"))
    (batch,) = leased(first)
    # The target does not know the inference of "a" yet.
    first.finish([BatchOutcome(batch, sent=1, waiting=[*batch.rows[:1]], wait=1000.0, is_attempt=True)])
    first.append(HERE, truths("a=2", "b=2", "c=1"))
    assert told(leased(second)) == ["b=2", "c=1"]
    second.close()
    assert send_all(first) == ["a=1", "b=2", "c=1", "a=2"]


def test_two_words_on_one_id_never_leave_together(opened: Callable[..., Spool]) -> None:
    spool = opened()
    spool.append(HERE, truths("a=1", "a=2", "b=1"))
    spool.append(HERE, truths("a=3"))
    batches = leased(spool)
    assert told(batches) == ["a=1", "b=1"]
    spool.finish(
        [BatchOutcome(batch, waiting=[*batch.rows], wait=1000.0, is_attempt=True) for batch in batches]
    )
    assert send_all(spool) == ["a=1", "b=1", "a=2", "a=3"]


def test_a_correction_of_a_correction_is_news(opened: Callable[..., Spool]) -> None:
    spool = opened()
    assert spool.append(HERE, truths("a=Paris", "a=Rome", "a=Paris", "a=Paris")) == (3, 1, 0)
    assert send_all(spool) == ["a=Paris", "a=Rome", "a=Paris"]
    assert spool.append(HERE, truths("a=Paris")) == (0, 1, 0)
    assert spool.append(HERE, truths("a=Rome")) == (1, 0, 0)
    assert send_all(spool) == ["a=Rome"]
