"""Somebody sets the machine's clock."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from otel_arthur.spool.batches import BatchOutcome, NewBatch
from otel_arthur.spool.clock import Boot, Clock
from otel_arthur.spool.queue.leases import Terms
from otel_arthur.spool.spool import Spool
from tests.support.spans.spool_records import HERE, KIND, NUMBER, batch, leased_ids, rows

HOUR = 3600.0
YEAR = 365 * 24 * HOUR


class SetClock(Clock):
    """Set forward by so much, and so much later than the test began."""

    def __init__(self) -> None:
        self.forward = self.later = 0.0

    def time(self) -> float:
        return time.time() + self.forward + self.later

    def boot(self) -> Boot | None:
        return Boot(7, time.monotonic() + self.later)


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def spool(spool_dir: Path, clock: SetClock) -> Spool:
    return Spool(spool_dir, 1 << 30, clock=clock)


def test_set_back_an_hour_holds_nothing(spool: Spool, clock: SetClock) -> None:
    spool.append(HERE, batch(1))
    (leased,) = spool.lease(NUMBER, KIND, Terms())
    spool.finish([BatchOutcome(leased, waiting=[*leased.rows], wait=30.0)])
    spool.append(HERE, NewBatch(KIND, rows(1, start=1), hold=30.0))
    assert leased_ids(spool) == []
    clock.forward = -HOUR
    assert spool.can_be_tried([NUMBER], 1.0)
    assert leased_ids(spool) == ["id-0", "id-1"]


def test_set_forward_a_year_makes_nothing_old(spool: Spool, clock: SetClock, spool_dir: Path) -> None:
    spool.append(HERE, batch(3))
    for forward in (YEAR, 0.0, YEAR, -HOUR):
        clock.forward = forward
        # In a process that goes on, and in one that begins now.
        assert spool.tidy(HOUR) == 0
        assert Spool(spool_dir, 1 << 30, clock=clock).tidy(HOUR) == 0
    spool.append(HERE, batch(2, start=3))
    clock.later = 0.9 * HOUR
    spool.append(HERE, batch(4, start=5))
    clock.later = 1.1 * HOUR
    assert spool.tidy(HOUR) == 5
    assert spool.waiting([NUMBER]) == 4
