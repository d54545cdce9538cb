"""A second target needs nothing of the spool: a toy one, whose rows are bytes of its own and which, as
Arthur Engine does, stores a row as often as it is presented."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from otel_arthur.configuration import Configuration
from otel_arthur.delivery import Delivery
from otel_arthur.spool.batches import Batch, BatchOutcome, DeadLetter, NewBatch
from otel_arthur.spool.destination import Destination
from otel_arthur.spool.queue.leases import Terms
from otel_arthur.spool.rows import Row
from otel_arthur.spool.spool import Spool
from otel_arthur.target.contract import Attempt, Intake, Presented, Target, Trouble
from otel_arthur.target.evidence import EvidenceJudge
from tests.support.paths import ROOT
from tests.support.waiting import PATIENCE, eventually

CALLS, ROOTS = 1, 2
HERE = Destination("file:///toy", "key:toy", "task", target="toy")


class ToyTarget(Target, Intake):
    """Writes rows to a file, one a line in hexadecimal, as a server without idempotency would store them."""

    name = HERE.target
    request_seconds = 1.0
    window = 0.0
    destinations = (HERE,)
    judge = EvidenceJudge()
    of_calls = (CALLS, ROOTS)
    mended: Mapping[str, int] = {}

    def __init__(self, file: Path, doubt: float = 0.5) -> None:
        self.file = file
        self.services = set()
        self.kinds = {CALLS: Terms(doubt=doubt), ROOTS: Terms(doubt=doubt)}
        self.asked: list[list[str]] = []
        self.fails_after = -1
        """So many more requests store their rows and then break off, as a timeout does."""

    def stored(self) -> list[bytes]:
        return [bytes.fromhex(line) for line in self.file.read_text().split()] if self.file.exists() else []

    def present(self, destination: Destination, batches: Sequence[Batch], attempt: Attempt) -> Presented:
        outcomes = []
        attempt.begin()
        trouble = None
        for batch in batches:
            outcome = BatchOutcome(batch)
            rows = batch.rows
            if batch.sent_at is not None:
                stored = self.stored()
                self.asked.append([row.id for row in rows])
                outcome.sent = sum(row.content in stored for row in rows)
                rows = [row for row in rows if row.content not in stored]
            poison = [row for row in rows if b"poison" in row.content]
            outcome.dead = [DeadLetter(row, "422 poison") for row in poison]
            rows = [row for row in rows if row not in poison]
            with self.file.open("a") as file:
                file.writelines(row.content.hex() + "\n" for row in rows)
            if self.fails_after == 0:
                trouble = Trouble("the toy broke off", "timeout", retry_after=0.0)
                outcome.waiting, outcome.is_unknown, outcome.wait = rows, True, 0.2
            else:
                outcome.sent += len(rows)
            self.fails_after -= 1
            outcomes.append(outcome)
        return Presented(outcomes, trouble)

    def intake(self, place: str | None, *, is_live: bool) -> ToyTarget:
        return self

    def add(self, call: object) -> str | None:
        return "no calls for the toy"

    def add_around(self, told: object) -> None:
        raise AssertionError(told)

    def batches(self) -> list[tuple[Destination, NewBatch]]:
        return []

    def close(self) -> None:
        pass


def rows(names: Sequence[str], *after: str) -> list[Row]:
    # Line breaks and NUL: the spool does not look into a row.
    return [Row(name, b"\n\0\xff" + name.encode(), stem=2, after=after) for name in names]


@pytest.fixture
def toy(tmp_path: Path) -> ToyTarget:
    return ToyTarget(tmp_path / "stored")


@pytest.fixture
def delivery(toy: ToyTarget, spool_dir: Path) -> Delivery:
    return Delivery(Configuration(spool_dir=spool_dir), metrics=False, targets=lambda _spool: [toy])


def test_its_rows_are_sent_and_counted(toy: ToyTarget, delivery: Delivery, spool_dir: Path) -> None:
    names = ["t1-a", "t1-b", "t2-poison"]
    assert delivery.append(toy, HERE, NewBatch(CALLS, rows(names))).spooled == 3
    assert delivery.append(toy, HERE, NewBatch(CALLS, rows(names[:1]))).spooled == 1
    assert delivery.flush(PATIENCE)
    assert toy.stored() == [row.content for row in rows(names[:2])]
    counts = delivery.counts()
    assert (counts.sent, counts.dead_letter, counts.known, counts.unaccounted) == (2, 1, 1, 0)
    delivery.shutdown(5)
    (one,) = Spool(spool_dir, 1 << 20).status().destinations
    assert (one.destination, one.dead_letters, one.waiting) == (HERE, 1, 0)


def test_a_row_leaves_after_those_that_it_names(toy: ToyTarget, delivery: Delivery) -> None:
    calls = NewBatch(CALLS, rows(["t1-a", "t1-b"]), hold=0.5)
    delivery.append(toy, HERE, calls)
    delivery.append(toy, HERE, NewBatch(ROOTS, rows(["t1-root"], "t1-a", "t1-b")))
    delivery.append(toy, HERE, NewBatch(ROOTS, rows(["t2-root"], "t1-a"), patience=0.0))
    eventually(lambda: len(toy.stored()) == 4, "all are stored")
    sent = [content[3:].decode() for content in toy.stored()]
    assert sent.index("t1-root") > max(sent.index("t1-a"), sent.index("t1-b"))
    # Of this one the patience was over at once.
    assert sent[0] == "t2-root"
    delivery.shutdown(5)


def test_after_an_unknown_outcome_it_is_asked_first(toy: ToyTarget, delivery: Delivery) -> None:
    toy.fails_after = 0
    delivery.append(toy, HERE, NewBatch(CALLS, rows(["t1-a", "t1-b"])))
    eventually(lambda: delivery.counts().sent == 2, "both are sent")
    assert toy.asked == [["t1-a", "t1-b"]]
    assert toy.stored() == [row.content for row in rows(["t1-a", "t1-b"])]
    assert delivery.counts().unaccounted == 0
    delivery.shutdown(5)


KILLED = """
import os, signal, sys
from pathlib import Path
from otel_arthur.configuration import Configuration
from otel_arthur.delivery import Delivery
from otel_arthur.spool.batches import NewBatch
from tests.delivery.test_second_target import CALLS, HERE, ToyTarget, rows

class Dying(ToyTarget):
    def present(self, *arguments):
        super().present(*arguments)
        os.kill(os.getpid(), signal.SIGKILL)

toy = Dying(Path(sys.argv[2]))
delivery = Delivery(Configuration(spool_dir=Path(sys.argv[1])), metrics=False, targets=lambda _: [toy])
delivery.append(toy, HERE, NewBatch(CALLS, rows(["t1-a", "t1-b"])))
delivery.flush(30)
"""


def test_killed_after_sending_it_stores_no_row_twice(toy: ToyTarget, spool_dir: Path) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, str(spool_dir), str(toy.file)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL
    assert len(toy.stored()) == 2
    delivery = Delivery(Configuration(spool_dir=spool_dir), metrics=False, targets=lambda _spool: [toy])
    delivery.start()
    eventually(lambda: delivery.counts().sent == 2, "both are sent")
    assert toy.asked == [["t1-a", "t1-b"]]
    assert len(toy.stored()) == 2
    delivery.shutdown(5)
