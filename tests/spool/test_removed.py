"""Somebody removes the spool's files under processes that live."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otel_arthur.spool import commands
from otel_arthur.spool.disk.index import database
from otel_arthur.spool.disk.losses import DAMAGED
from otel_arthur.spool.fallback.backed import BackedSpool
from otel_arthur.spool.queue.leases import Terms
from otel_arthur.spool.rows import Rows
from otel_arthur.spool.spool import Spool
from tests.support.paths import ROOT
from tests.support.processes.running import finished
from tests.support.spans.spool_records import HERE, KIND, NUMBER, batch, leased_ids

WORK = """
import json, sqlite3, sys
from pathlib import Path
sys.path.insert(0, sys.argv[3])
from otel_arthur.spool.batches import BatchOutcome
from otel_arthur.spool.queue.leases import Terms
from otel_arthur.spool.spool import Spool
from tests.support.spans.spool_records import HERE, KIND, NUMBER, batch
spool, first, taken, sent = Spool(Path(sys.argv[1]), 1 << 30), int(sys.argv[2]), 0, []
for phase in range(6):
    for _ in range(8):
        try:
            taken += spool.append(HERE, batch(5, 9000, start=first + taken)).new
            for leased in spool.lease(NUMBER, KIND, Terms(rows=20)):
                sent += [row.id for one in spool.finish([BatchOutcome(leased, sent=len(leased.rows))])
                         for row in one.batch.rows]
        except (OSError, sqlite3.Error):  # the folder is removed at this moment
            continue
    print(phase, flush=True)
lost = spool.lost()
print(json.dumps([taken, sent, sum(lost.rows.values()), lost.all_for]), flush=True)
sys.stdin.read()
"""


def _at_once(folder: Path) -> None:
    """The whole folder is gone in one moment."""
    away = folder.with_name("away")
    folder.rename(away)
    _one_by_one(away)


def _one_by_one(folder: Path) -> None:
    """As ``rm -r``: processes find some of the files gone, and begin anew meanwhile."""
    shutil.rmtree(folder, ignore_errors=True)


@pytest.mark.parametrize("remove", [_at_once, _one_by_one])
def test_three_processes_count_each_row_once_and_send_none_twice(
    spool_dir: Path, remove: Callable[[Path], None]
) -> None:
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", WORK, str(spool_dir), str(n * 1_000_000), str(ROOT)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for n in range(3)
    ]
    outs = [worker.stdout for worker in workers if worker.stdout is not None]
    for phase in range(6):
        for out in outs:
            assert out.readline().strip() == str(phase)
        if phase % 2:
            remove(spool_dir)
        else:
            for lock in (spool_dir / "owners").glob("*.lock"):
                lock.unlink(missing_ok=True)
    ended = [json.loads(out.readline()) for out in outs]
    waiting = Spool(spool_dir, 1 << 30).waiting([NUMBER])
    for worker in workers:
        worker.communicate()
    sent = [identity for _, ids, _, _ in ended for identity in ids]
    assert len(set(sent)) == len(sent)
    assert sent
    taken = sum(taken for taken, *_ in ended)
    found = len(sent) + sum(lost for _, _, lost, _ in ended) + waiting
    if remove is _at_once:
        assert found == taken
        assert not any(all_for for *_, all_for in ended)
    else:
        # Some may write to the old files and some to new ones for a moment: docs/spool.md, "not defended".
        assert found <= taken


def test_commands_use_the_folder_that_was_made_anew(spool_dir: Path) -> None:
    spool_dir.mkdir(mode=0o755)
    spool_dir.chmod(0o755)
    spool = BackedSpool(spool_dir, 1 << 30)
    spool.append(HERE, batch(3))
    shutil.rmtree(spool_dir)
    assert spool.append(HERE, batch(3, start=3)).new == 3
    for of_folder in (0o700, 0o755):
        spool_dir.chmod(of_folder)
        command = commands.opened(spool_dir, 1 << 30)
        assert command.folder == spool.folder
        assert command.waiting([NUMBER]) == 3
        command.close()
    spool.close()


_CLOSES_AND_READS = """
import contextlib, sqlite3, sys, threading
from pathlib import Path
from otel_arthur.spool.disk.index.database import Connection
index = Connection(Path(sys.argv[1]), durable=False, left=lambda raw: None, begins=lambda: None)
index.make_ready()
is_over = False
def close():
    while not is_over:
        index.close()
        with contextlib.suppress(sqlite3.Error):
            index.make_ready()
closing = threading.Thread(target=close)
closing.start()
for _ in range(1000):
    with contextlib.suppress(sqlite3.Error):
        index.read("SELECT * FROM of_another_format")
is_over = True
closing.join()
"""


def test_an_index_is_closed_while_a_read_of_it_fails(tmp_path: Path) -> None:
    command = [sys.executable, "-c", _CLOSES_AND_READS, str(tmp_path / "spool.db")]
    done = finished(command, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.returncode == 0, done.stderr


def _replaced_by_a_file(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_text("no folder")


@pytest.mark.parametrize("removed", [shutil.rmtree, _replaced_by_a_file])
def test_rows_leased_in_a_folder_that_goes_before_they_are_read_are_lost(
    spool_dir: Path, monkeypatch: pytest.MonkeyPatch, removed: Callable[[Path], None]
) -> None:
    Spool(spool_dir, 1 << 30).append(HERE, batch(5, 9000))
    spool = Spool(spool_dir, 1 << 30)
    read = spool.store.bodies.rows

    def read_too_late(*asked: Any) -> Rows | None:
        removed(spool_dir)
        return read(*asked)

    monkeypatch.setattr(spool.store.bodies, "rows", read_too_late)
    if removed is shutil.rmtree:
        assert spool.lease(NUMBER, KIND, Terms()) == []
    else:
        with pytest.raises((OSError, sqlite3.Error)):
            spool.lease(NUMBER, KIND, Terms())
    assert sum(spool.lost().rows.values()) == 5
    assert sum(spool.lost().rows.values()) == 0


def test_a_batch_that_nobody_can_read_holds_no_other_up(spool_dir: Path) -> None:
    spool = Spool(spool_dir, 1 << 30)
    for start in (0, 5, 10):
        spool.append(HERE, batch(5, start=start))
    with spool.store.index.transaction() as index:
        index.execute("UPDATE batches SET remaining = 5 WHERE number = 1")
    assert leased_ids(spool) == [f"id-{number}" for number in range(5, 15)]
    assert spool.lost().rows[DAMAGED] == 5


def test_rows_that_another_process_has_counted_as_lost_are_not_leased(
    spool_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool, other = Spool(spool_dir, 1 << 30), Spool(spool_dir, 1 << 30)
    spool.append(HERE, batch(5))
    assert other.waiting([NUMBER]) == 5
    looks: list[int] = []
    look = spool.store.index._current

    def look_too_early() -> sqlite3.Connection:
        found = look()
        looks.append(0)
        if len(looks) == 2:  # the second of a lease: its transaction begins
            shutil.rmtree(spool_dir)
            assert sum(other.lost().rows.values()) == 5
        return found

    monkeypatch.setattr(spool.store.index, "_current", look_too_early)
    assert spool.lease(NUMBER, KIND, Terms()) == []
    assert len(looks) > 2
    assert sum(spool.lost().rows.values()) == 0


def test_a_file_that_is_replaced_while_it_is_opened_is_not_used(
    spool_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others: list[Spool] = []
    prepare = database.prepare

    def replaced(*arguments: Any) -> None:
        prepare(*arguments)
        monkeypatch.setattr(database, "prepare", prepare)
        for ending in ("", "-wal", "-shm"):
            (spool_dir / f"spool.db{ending}").unlink()
        others.append(Spool(spool_dir, 1 << 30))

    monkeypatch.setattr(database, "prepare", replaced)
    spool = Spool(spool_dir, 1 << 30)
    spool.append(HERE, batch(5))
    assert others[0].waiting([NUMBER]) == spool.waiting([NUMBER]) == 5


FORKS = """
import os, shutil, sys
from pathlib import Path
from otel_arthur.spool.spool import Spool
from tests.support.spans.spool_records import HERE, NUMBER, batch
spool = Spool(Path(sys.argv[1]), 1 << 30)
spool.append(HERE, batch(5))
spool.waiting([NUMBER])
shutil.rmtree(sys.argv[1])
spool.before_fork()
child = os.fork()
if not child:
    spool.after_fork_in_child()
    os._exit(sum(spool.lost().rows.values()))
spool.after_fork_in_parent()
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), sum(spool.lost().rows.values()))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_a_loss_that_is_seen_at_a_fork_is_the_parents(spool_dir: Path) -> None:
    command = [sys.executable, "-c", FORKS, str(spool_dir)]
    done = finished(command, env={**os.environ, "PYTHONPATH": str(ROOT)})
    assert done.stdout.split() == ["0", "5"], done.stderr
