"""Somebody sets the machine's clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from otel_arthur.spool.batches import BatchOutcome, NewBatch
from otel_arthur.spool.clock import Boot, Clock
from otel_arthur.spool.queue.leases import Terms
from otel_arthur.spool.spool import Spool
from otel_arthur.spool.upkeep import ages
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


class StillClock(Clock):
    """Goes on when the test says so; `between` happens each time that it was read."""

    def __init__(self, began: float = 1_800_000_000.0) -> None:
        self.began = began
        self.forward = 0.0
        self.later = 1000.0
        self.between: Callable[[], None] = lambda: None

    def time(self) -> float:
        read = self.began + self.forward + self.later
        self.between()
        return read

    def boot(self) -> Boot | None:
        return Boot(7, self.later)


@pytest.mark.parametrize("tenths", range(10))
@pytest.mark.parametrize("drift", [0.0, 59.0, -59.0])
def test_set_at_any_part_of_a_second_and_after_any_drift(spool_dir: Path, tenths: int, drift: float) -> None:
    """The start of the machine lies anywhere within a second, and its clock is corrected all the time."""
    clock = StillClock(1_800_000_000.0 + tenths / 10)
    spool = Spool(spool_dir, 1 << 30, clock=clock)
    for number, forward in enumerate((YEAR, 0.0, -HOUR)):
        clock.forward += drift / 3
        spool.append(HERE, batch(1, start=number))
        clock.forward = forward
        assert spool.tidy(HOUR) == 0
    clock.later += HOUR + 3 * ages.SET_SECONDS
    assert spool.tidy(HOUR) == 3


def test_set_while_the_age_limit_is_kept(monkeypatch: pytest.MonkeyPatch, spool_dir: Path) -> None:
    """A slow upkeep, and somebody sets the clock in its midst."""
    clock = StillClock()
    spool = Spool(spool_dir, 1 << 30, clock=clock)
    spool.append(HERE, batch(3))
    monkeypatch.setattr(ages, "forget_duplicates", lambda _: setattr(clock, "forward", clock.forward + YEAR))
    assert spool.tidy(HOUR) == 0
    assert spool.tidy(HOUR) == 0


def test_written_while_somebody_follows_a_clock_set_back(spool_dir: Path) -> None:
    """Between the look at the clock and the change of the ages stands another process's append."""
    clock = StillClock()
    clock.forward = YEAR
    spool, other = (Spool(spool_dir, 1 << 30, clock=clock) for _ in range(2))
    clock.forward = 0.0

    def append_once() -> None:
        clock.between = lambda: None
        clock.later += 0.5
        other.append(HERE, batch(3))

    clock.between = append_once
    assert spool.tidy(HOUR) == 0
    assert spool.waiting([NUMBER]) == 3


def test_a_machine_that_stands_still_between_two_looks(spool_dir: Path) -> None:
    """It sleeps, or is so busy that nobody knows how old anything is: then nothing is given up, or moved."""
    clock = StillClock()
    spool = Spool(spool_dir, 1 << 30, clock=clock)
    spool.append(HERE, batch(3))

    def stand_still() -> None:
        clock.later += 2 * HOUR

    clock.between = stand_still
    assert clock.moment() is None
    assert spool.tidy(HOUR) == 0
    clock.between = lambda: None
    now, boot = clock.moment() or (0.0, None)
    assert boot is not None
    assert now - boot.seconds == clock.began
    assert spool.tidy(100 * HOUR) == 0
    assert spool.tidy(HOUR) == 3
