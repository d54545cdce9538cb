"""A slow machine: between a process's look at the clock and its turn at the spool another one works there."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from otel_arthur.arthur.target.duplicates import ArthurJudge
from otel_arthur.spool.batches import BatchEvidence, NewBatch
from otel_arthur.spool.clock import Boot, Clock
from otel_arthur.spool.fallback.carrying import Crossing, carry
from otel_arthur.spool.queue.leases import Terms
from otel_arthur.spool.spool import Spool
from tests.support.spans.spool_records import HERE, KIND, NUMBER, batch, leased_ids, rows

LATE = 20.0
"""Seconds: more than clocks are set unnoticed, and less than a wait for the spool's lock may take."""


class SlowClock(Clock):
    """After it was read the next time, `meanwhile` is done by another process."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.meanwhile: Callable[[], object] | None = None

    def time(self) -> float:
        read = self.now
        if self.meanwhile is not None:
            meanwhile, self.meanwhile = self.meanwhile, None
            self.now += LATE
            meanwhile()
        return read

    def boot(self) -> Boot | None:
        return Boot(7, self.now - 1_700_000_000.0)


@pytest.fixture
def clock() -> SlowClock:
    return SlowClock()


@pytest.fixture
def spool(spool_dir: Path, clock: SlowClock) -> Spool:
    return Spool(spool_dir, 1 << 30, clock=clock)


@pytest.fixture
def other(spool_dir: Path, clock: SlowClock) -> Spool:
    return Spool(spool_dir, 1 << 30, clock=clock)


def test_what_another_has_leased_is_not_leased_again(spool: Spool, other: Spool, clock: SlowClock) -> None:
    spool.append(HERE, batch(3))
    by_other: list[str] = []
    clock.meanwhile = lambda: by_other.extend(leased_ids(other))
    assert leased_ids(spool) == []
    assert by_other == ["id-0", "id-1", "id-2"]


def test_a_lease_begins_once_it_is_had(spool: Spool, other: Spool, clock: SlowClock) -> None:
    spool.append(HERE, batch(1))
    clock.meanwhile = lambda: None
    assert leased_ids(spool, Terms(seconds=LATE)) == ["id-0"]
    clock.now += 0.9 * LATE
    assert leased_ids(other) == []


def test_what_another_has_leased_is_not_carried_away(
    spool: Spool, other: Spool, clock: SlowClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = Spool(None, 1 << 30)
    spool.append(HERE, batch(3))
    lock = spool.store.index.transaction

    def late(*arguments: float) -> AbstractContextManager[sqlite3.Connection]:
        monkeypatch.undo()
        clock.now += LATE
        assert len(leased_ids(other)) == 3
        return lock(*arguments)

    monkeypatch.setattr(spool.store.index, "transaction", late)
    carry(spool, target, Crossing())
    assert (spool.waiting([NUMBER]), target.waiting([NUMBER])) == (3, 0)


def test_a_window_that_opens_meanwhile_is_not_closed(spool: Spool, other: Spool, clock: SlowClock) -> None:
    def held(start: int) -> NewBatch:
        return NewBatch(KIND, rows(1, start=start), evidence=BatchEvidence("scope", b"[]"), hold=30.0)

    spool.append(HERE, held(0))
    clock.meanwhile = lambda: other.append(HERE, held(1))
    spool.close_window(NUMBER, 30.0, ArthurJudge())
    assert leased_ids(spool) == []
    clock.now += 30.0
    spool.close_window(NUMBER, 30.0, ArthurJudge())
    assert leased_ids(spool) == ["id-0", "id-1"]


def test_no_file_of_a_slow_writer_is_taken_for_an_orphan(
    spool: Spool, spool_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its file is old by now, by the clock of now, and it commits between the upkeep's look and its deeds."""
    spool.append(HERE, NewBatch(KIND, rows(3, 200_000)))
    (file,) = (spool_dir / "bodies").iterdir()
    os.utime(file, (0, 0))
    look, looks = spool.store.index.read, list[str]()

    def read_before_the_commit(statement: str, *arguments: object) -> object:
        found = look(statement, *arguments)  # type: ignore[arg-type]
        if statement.startswith("SELECT file"):
            looks.append(statement)
            return []
        return found

    monkeypatch.setattr(spool.store.index, "read", read_before_the_commit)
    spool.tidy(None)
    assert looks
    monkeypatch.undo()
    orphan = file.with_name(f"orphan{file.suffix}")
    orphan.write_bytes(b"")
    os.utime(orphan, (0, 0))
    spool.tidy(None)
    assert not orphan.exists()
    assert leased_ids(spool) == ["id-0", "id-1", "id-2"]


def test_rows_that_nobody_can_read_end_a_look(
    spool: Spool, spool_dir: Path, clock: SlowClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each try takes longer than such rows are put off for."""
    spool.append(HERE, NewBatch(KIND, rows(3, 200_000)))
    (file,) = (spool_dir / "bodies").iterdir()

    def unreadable(*_: object) -> object:
        clock.now += 3600.0
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(spool.store.bodies, "rows", unreadable)
    assert leased_ids(spool) == []
    assert file.exists()
