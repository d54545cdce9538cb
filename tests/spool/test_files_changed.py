"""The files of a spool are changed under a process that has them open."""

from __future__ import annotations

import shutil
import sqlite3
import sys
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from otel_arthur.spool.batches import BatchOutcome, DeadLetter
from otel_arthur.spool.disk.index.disk_format import FORMAT
from otel_arthur.spool.errors import NewerFormat
from otel_arthur.spool.fallback.backed import BackedSpool
from otel_arthur.spool.queue.leases import Terms
from otel_arthur.spool.spool import Spool
from tests.support.paths import ROOT
from tests.support.processes.running import finished
from tests.support.rested_disk import ask_again
from tests.support.spans.spool_records import HERE, KIND, batch, leased_ids

CUT = """
import os, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from otel_arthur.spool.spool import Spool
from tests.support.spans.spool_records import HERE, batch, leased_ids
folder = Path(sys.argv[1])
spool, other = Spool(folder, 1 << 30), Spool(folder, 1 << 30)
for start in range(0, 120, 6):
    spool.append(HERE, batch(3, start=start))
    os.truncate(folder / "spool.db-shm", 0)
    spool.append(HERE, batch(3, start=start + 3))
    os.truncate(folder / "spool.db-shm", 100)
    other.status()
print(*leased_ids(other))
os.truncate(folder / "spool.db-shm", 0)
spool.close()
"""


def test_a_shortened_index_of_the_log_kills_nobody(spool_dir: Path) -> None:
    """SQLite has that file mapped: the kernel ends a process that reads beyond the end of such a file."""
    done = finished([sys.executable, "-c", CUT, str(spool_dir), str(ROOT)])
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [f"id-{n}" for n in range(120)]


@pytest.mark.parametrize("change", ["PRAGMA user_version", "ALTER TABLE batches RENAME held TO kept"])
def test_a_newer_version_upgrades_the_file_of_a_running_process(
    opened: Callable[..., Spool], spool_dir: Path, change: str
) -> None:
    spool = opened()
    spool.append(HERE, batch(3))
    newer = sqlite3.connect(spool_dir / "spool.db")
    newer.execute(change)
    newer.execute(f"PRAGMA user_version = {FORMAT + 1}")
    newer.close()
    for operation in (lambda: spool.append(HERE, batch(3, start=3)), lambda: leased_ids(spool)):
        with pytest.raises(NewerFormat):
            operation()
    # It is left alone, and not taken for a damaged one.
    assert not list(spool_dir.glob("damaged-*"))


def test_what_was_delivered_is_wiped(opened: Callable[..., Spool], spool_dir: Path) -> None:
    spool = opened()
    for start in range(0, 90, 9):
        spool.append(HERE, batch(5, 10, start=start))
        spool.append(HERE, batch(4, 7000, start=start + 5))
    while batches := spool.lease(HERE.number, 1, Terms()):
        spool.finish([BatchOutcome(one, sent=len(one.rows)) for one in batches])
    spool.tidy(None)
    assert not [path for path in spool_dir.rglob("*") if path.is_file() and b"xxxxxxxx" in path.read_bytes()]


def test_a_body_that_is_gone_waits(opened: Callable[..., Spool], spool_dir: Path, tmp_path: Path) -> None:
    opened().append(HERE, batch(20, 5000))
    shutil.move(spool_dir / "bodies", tmp_path / "elsewhere")
    spool = opened()
    assert leased_ids(spool) == []
    assert spool.waiting([HERE.number]) == 20
    shutil.rmtree(spool_dir / "bodies")
    shutil.move(tmp_path / "elsewhere", spool_dir / "bodies")
    spool.release(HERE.number)
    assert len(leased_ids(spool)) == 20


def test_a_body_that_is_gone_for_long_is_counted(
    opened: Callable[..., Spool], spool_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from otel_arthur.spool.queue import reading

    monkeypatch.setattr(reading, "GONE_SECONDS", -1.0)
    opened().append(HERE, batch(20, 5000))
    shutil.rmtree(spool_dir / "bodies")
    spool = opened()
    assert leased_ids(spool) == []
    assert spool.status().destinations[0].outcomes[1]["dropped: gone from the disk"] == 20


def test_a_dead_letter_made_in_memory_goes_to_the_disk(spool_dir: Path) -> None:
    spool = BackedSpool(spool_dir, 1 << 30)
    shutil.rmtree(spool_dir / "bodies")
    (spool_dir / "bodies").write_text("no folder")
    assert spool.keep(HERE, batch(20, 5000))[1] == 20
    (leased,) = spool.lease(HERE.number, KIND, Terms())
    letters = [DeadLetter(row, "no") for row in leased.rows[:3]]
    spool.finish([BatchOutcome(leased, sent=17, dead=letters)])
    (spool_dir / "bodies").unlink()
    ask_again(spool)
    spool.recover()
    spool.close()
    again = Spool(spool_dir, 1 << 30)
    assert [letter.id for letter in again.letters()] == ["id-0", "id-1", "id-2"]
    assert again.status().destinations[0].outcomes[KIND] == {"appended": 3, "dead_letter": 3}
    again.close()


def test_a_batch_on_its_way_from_memory_to_the_disk_counts_once(spool_dir: Path) -> None:
    spool = BackedSpool(spool_dir, 1 << 30)
    shutil.rmtree(spool_dir / "bodies")
    (spool_dir / "bodies").write_text("no folder")
    for number in range(50):
        assert spool.keep(HERE, batch(20, 5000, start=20 * number))[1] == 20
    (spool_dir / "bodies").unlink()
    ask_again(spool)
    moving = threading.Thread(target=spool.recover)
    moving.start()
    seen: Counter[int] = Counter()
    while moving.is_alive():
        seen[spool.waiting([HERE.number])] += 1
    seen[spool.waiting([HERE.number])] += 1
    assert list(seen) == [1000]
    assert spool.rows_in_memory() == 0
    spool.close()


def test_who_insists_is_told_of_a_disk_that_failed_for_others(spool_dir: Path) -> None:
    spool = BackedSpool(spool_dir, 1 << 30)
    spool.append(HERE, batch(5))
    shutil.rmtree(spool_dir / "bodies")
    (spool_dir / "bodies").write_text("no folder")
    with spool.insisting():
        failing = threading.Thread(target=spool.append, args=(HERE, batch(20, 5000, start=5)))
        failing.start()
        failing.join()
        assert spool.why
        assert spool.left([HERE.number])[HERE.number, KIND] == 25
        assert not spool.out_of_sight
    spool.close()


def test_who_insists_asks_a_disk_that_fails_once(spool_dir: Path) -> None:
    spool = BackedSpool(spool_dir, 1 << 30)
    asked: list[int] = []

    def fail(disk: Spool) -> None:
        asked.append(disk.last_number())
        raise OSError("the disk fails")

    with spool.insisting():
        for _ in range(3):
            spool._on_disk(fail, None)
    assert asked == [0]
    spool.close()


def test_a_shared_index_that_is_deleted_alone_is_made_anew(spool_dir: Path) -> None:
    spool = Spool(spool_dir, 1 << 30)
    spool.append(HERE, batch(5))
    assert len(leased_ids(spool, Terms(rows=1))) == 5
    (spool_dir / "spool.db-shm").unlink()
    assert spool.append(HERE, batch(5, start=5)).new == 5
    assert len(leased_ids(spool)) == 5
    assert spool.lost().all_for is None
    assert spool.append(HERE, batch(5, start=10)).new == 5
    assert (spool_dir / "spool.db-shm").exists()
    spool.close()
