"""The spool alone: leases, clocks, damage, full disks, forks of format."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from otel_arthur.spool.batches import BatchOutcome
from otel_arthur.spool.errors import SpoolError
from otel_arthur.spool.queue.leases import Terms
from otel_arthur.spool.spool import Spool
from tests.support.paths import ROOT
from tests.support.processes.running import finished
from tests.support.spans.spool_records import HERE, KIND, NUMBER, batch, leased_ids


@pytest.mark.parametrize("size", [10, 5000], ids=["in the index", "in a file"])
def test_rows_come_out_as_they_went_in_once(opened: Callable[..., Spool], size: int) -> None:
    spool = opened()
    given = batch(20, size)
    assert spool.append(HERE, given) == (20, 0, 0)
    (leased,) = spool.lease(NUMBER, KIND, Terms())
    assert leased.rows == given.rows
    assert opened().lease(NUMBER, KIND, Terms()) == []
    spool.finish([BatchOutcome(leased, sent=20)])
    assert (spool.waiting([NUMBER]), spool.bytes_used()) == (0, 0)
    assert not list((spool.folder / "bodies").glob("*") if spool.folder else [])
    assert spool.append(HERE, given) == (0, 20, 0)


def test_batches_are_taken_together_up_to_the_limits(opened: Callable[..., Spool]) -> None:
    spool = opened()
    for start in range(0, 50, 10):
        spool.append(HERE, batch(10, start=start))
    assert leased_ids(spool, Terms(rows=25)) == [f"id-{n}" for n in range(20)]
    assert leased_ids(spool, Terms(bytes=1)) == [f"id-{n}" for n in range(20, 30)]
    assert len(leased_ids(spool)) == 20


def test_a_lease_that_expired_is_taken_over_and_the_first_holder_records_nothing(
    opened: Callable[..., Spool],
) -> None:
    first, second = opened(), opened()
    first.append(HERE, batch(5))
    (leased,) = first.lease(NUMBER, KIND, Terms(seconds=0.0))
    (again,) = second.lease(NUMBER, KIND, Terms())
    assert first.finish([BatchOutcome(leased, sent=5)]) == []
    assert second.finish([BatchOutcome(again, sent=5)]) != []
    assert first.status().destinations[0].outcomes[KIND]["sent"] == 5


@pytest.mark.parametrize("shift", [-10 * 86_400, 10 * 86_400], ids=["set back", "set forward"])
def test_a_clock_that_jumps_strands_nothing(
    opened: Callable[..., Spool], monkeypatch: pytest.MonkeyPatch, shift: float
) -> None:
    first, second = opened(), opened()
    first.append(HERE, batch(5))
    (leased,) = first.lease(NUMBER, KIND, Terms())
    first.finish([BatchOutcome(leased, waiting=[*leased.rows], wait=30.0)])
    first.append(HERE, batch(5, start=5))
    first.lease(NUMBER, KIND, Terms())
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + shift)
    assert sorted(leased_ids(second)) == sorted(f"id-{n}" for n in range(10))


def test_what_part_of_a_batch_waits_keeps_its_place(opened: Callable[..., Spool]) -> None:
    spool = opened()
    spool.append(HERE, batch(6, 10_000))
    (leased,) = spool.lease(NUMBER, KIND, Terms())
    spool.finish([BatchOutcome(leased, sent=4, waiting=[*leased.rows[4:]])])
    spool.append(HERE, batch(2, start=6))
    assert leased_ids(spool) == ["id-4", "id-5", "id-6", "id-7"]


def test_several_writers_and_senders_lose_and_repeat_nothing(opened: Callable[..., Spool]) -> None:
    spools = [opened() for _ in range(4)]
    seen: list[str] = []
    lock = threading.Lock()
    writing = threading.Event()

    def write(spool: Spool, number: int) -> None:
        for part in range(15):
            spool.append(HERE, batch(7, 20, start=number * 1000 + part * 7))

    def send(spool: Spool) -> None:
        while not writing.is_set() or spool.waiting([NUMBER]):
            batches = spool.lease(NUMBER, KIND, Terms(rows=20))
            with lock:
                seen.extend(row.id for leased in batches for row in leased.rows)
            spool.finish([BatchOutcome(leased, sent=len(leased.rows)) for leased in batches])

    writers = [threading.Thread(target=write, args=(spool, n)) for n, spool in enumerate(spools)]
    senders = [threading.Thread(target=send, args=(spool,)) for spool in spools[:2]]
    for thread in [*writers, *senders]:
        thread.start()
    for thread in writers:
        thread.join()
    writing.set()
    for thread in senders:
        thread.join()
    assert sorted(seen) == sorted(f"id-{n * 1000 + part}" for n in range(4) for part in range(105))


def test_a_damaged_body_is_kept_aside_and_counted(opened: Callable[..., Spool], spool_dir: Path) -> None:
    spool = opened()
    spool.append(HERE, batch(20, 5000))
    spool.append(HERE, batch(3, start=20))
    spool = opened()  # what a process wrote itself it does not read back
    (file,) = (spool_dir / "bodies").glob("*.rows")
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    assert leased_ids(spool) == ["id-20", "id-21", "id-22"]
    assert spool.status().destinations[0].outcomes[KIND]["dropped: damaged on disk"] == 20
    assert file.with_name(file.name + ".damaged").exists()


def test_random_damage_to_the_index_never_stops_the_writer(
    opened: Callable[..., Spool], spool_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    chance = random.Random(7)
    for attempt in range(12):
        spool = opened()
        spool.append(HERE, batch(5, 200, start=attempt * 100))
        spool.close()
        database = spool_dir / "spool.db"
        content = bytearray(database.read_bytes())
        for _ in range(40):
            content[chance.randrange(len(content))] = chance.randrange(256)
        database.write_bytes(content[: chance.randrange(1, len(content))] if attempt % 2 else content)
        try:
            again = opened()
        except SpoolError:
            # A header that says "not ours" is left alone: the delivery then spools in memory.
            shutil.rmtree(spool_dir)
            continue
        again.append(HERE, batch(5, 200, start=attempt * 100 + 50))
        assert set(leased_ids(again)) >= {f"id-{n}" for n in range(attempt * 100 + 50, attempt * 100 + 55)}
        again.close()
        shutil.rmtree(spool_dir)
    kept = [record.getMessage() for record in caplog.records if "is kept in" in record.getMessage()]
    assert kept


def test_a_folder_deleted_under_a_running_process_is_made_again(
    opened: Callable[..., Spool], spool_dir: Path
) -> None:
    spool = opened()
    spool.append(HERE, batch(5))
    shutil.rmtree(spool_dir)
    assert spool.append(HERE, batch(5, 9000, start=5)).new == 5
    assert leased_ids(opened()) == [f"id-{n}" for n in range(5, 10)]


FULL_DISK = """
import resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from otel_arthur.spool.spool import Spool
from tests.support.spans.spool_records import HERE, batch, NUMBER
import signal
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
spool = Spool(Path(sys.argv[1]), 1 << 30)
assert spool.append(HERE, batch(5, 200)).new == 5
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
failed = 0
for part in range(30):
    for size in (200, 30_000):
        try:
            spool.append(HERE, batch(5, size, start=1000 + part * 100 + size // 1000))
        except Exception as error:
            failed += 1
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
spool.append(HERE, batch(5, 200, start=9000))
print(failed, spool.waiting([NUMBER]))
"""


def test_a_file_size_limit_loses_only_what_was_refused(spool_dir: Path, opened: Callable[..., Spool]) -> None:
    done = finished([sys.executable, "-c", FULL_DISK, str(spool_dir), str(ROOT)])
    assert done.returncode == 0, done.stderr
    failed, waiting = map(int, done.stdout.split())
    assert failed
    spool = opened()
    found: list[str] = []
    while part := leased_ids(spool):
        found += part
    assert len(found) == len(set(found)) == waiting == (2 * 30 - failed) * 5 + 10
    assert {f"id-{n}" for n in [*range(5), *range(9000, 9005)]} <= set(found)


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("mount") is None, reason="mounting needs the superuser")
def test_a_full_filesystem(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("mounting is not allowed here")
    try:
        spool = Spool(disk / "spool", 1 << 30)
        request.addfinalizer(spool.close)
        kept = failed = 0
        for part in range(400):
            try:
                kept += spool.append(HERE, batch(5, 5000, start=part * 10)).new
            except (sqlite3.Error, OSError):
                failed += 1
        assert kept
        assert failed
        sent = 0
        # Outcomes need room too, on a disk that others have filled to the last byte.
        with contextlib.suppress(OSError), (disk / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(bytes(512))
        while batches := spool.lease(NUMBER, KIND, Terms(rows=5)):
            results = [BatchOutcome(leased, sent=5) for leased in batches]
            sent += sum(len(r.batch.rows) for r in spool.finish(results))
        assert sent == kept
        assert spool.append(HERE, batch(5, 5000, start=9000)).new == 5
        spool.close()
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)
