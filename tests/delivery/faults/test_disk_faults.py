"""The rule of the disk: while Arthur can be reached, nothing that the disk does loses a call."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from otel_arthur.delivery import Delivery
from tests.support.books import balance
from tests.support.processes.running import finished
from tests.support.rested_disk import ask_again
from tests.support.servers.faces import Face
from tests.support.servers.fault_server import FaultServer
from tests.support.spans.llm_calls import llm_calls
from tests.support.waiting import PATIENCE, eventually

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting and other users need the superuser")


def test_a_neighbour_that_stands_still_stops_nobody(
    server: FaultServer,
    face: Face,
    deliver: Callable[..., Delivery],
    stopped_holder: Callable[[], subprocess.Popen[bytes]],
    spool_dir: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    delivery = deliver()
    first = llm_calls(3)
    delivery.submit(first)
    assert delivery.flush(PATIENCE)
    holder = stopped_holder()
    for words, code in ((["status"], 0), (["discard", "--all", "--yes"], 1)):
        command = [sys.executable, "-m", "otel_arthur", "spool", *words, "--dir", str(spool_dir)]
        told = finished(command)
        assert told.returncode == code
        if Path("/proc/locks").exists():
            assert f"process {holder.pid} (python" in told.stderr
            assert "which is stopped has locked the spool's database" in told.stderr
    calls = llm_calls(20)
    submitted = delivery.submit(calls)
    assert (submitted.spooled, submitted.in_memory, submitted.refused) == (0, 20, 0)
    wanted = sorted(face.ids_of([*first, *calls]))
    eventually(lambda: sorted(server.accepted_ids) == wanted, "all arrive")
    # One line for one cause, however often the disk is tried.
    delivery.submit(llm_calls(1))
    said = [line for line in caplog.messages if "cannot be used now" in line]
    assert len(said) == 1
    # Nobody knows what waits on the disk.
    assert not delivery.flush(1)
    holder.kill()
    eventually(lambda: delivery.flush(5), "all is sent")
    balance(delivery.counts())


def test_what_was_kept_in_memory_goes_to_the_disk_once_that_is_well(
    server: FaultServer,
    deliver: Callable[..., Delivery],
    stopped_holder: Callable[[], subprocess.Popen[bytes]],
    spool_dir: Path,
) -> None:
    server.stop()
    delivery = deliver()
    assert delivery.submit(llm_calls(1)).spooled == 1
    holder = stopped_holder()
    assert delivery.submit(llm_calls(20)).in_memory == 20
    holder.kill()

    def on_disk() -> int:
        database = sqlite3.connect(spool_dir / "spool.db")
        try:
            return database.execute("SELECT sum(rows) FROM batches").fetchone()[0]
        finally:
            database.close()

    eventually(lambda: on_disk() == 21, "all is on disk")
    assert delivery.counts().left == 21
    balance(delivery.counts())


@pytest.mark.parametrize("size", [10, 5000], ids=["in the index", "in a file"])
def test_bodies_that_cannot_be_written_go_by_memory(
    server: FaultServer, face: Face, deliver: Callable[..., Delivery], spool_dir: Path, size: int
) -> None:
    delivery = deliver()
    delivery.submit(llm_calls(20, 5000))
    assert delivery.flush(PATIENCE)
    shutil.rmtree(spool_dir / "bodies")
    (spool_dir / "bodies").write_text("no folder")
    calls = llm_calls(30, size)
    assert delivery.submit(calls).refused == 0
    eventually(lambda: set(face.ids_of(calls)) <= set(server.accepted_ids), "all arrive")
    balance(delivery.counts())


def test_a_file_that_cannot_be_read_waits(
    server: FaultServer,
    face: Face,
    deliver: Callable[..., Delivery],
    spool_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from otel_arthur.spool.queue import reading

    monkeypatch.setattr(reading, "UNREADABLE_SECONDS", 0.2)
    server.stop()
    calls = llm_calls(30, 5000)
    first = deliver()
    first.submit(calls)
    first.shutdown(0.2)
    (file,) = (spool_dir / "bodies").glob("*.rows")
    content = file.read_bytes()
    file.unlink()
    file.mkdir()
    server.start()
    second = deliver()
    second.start()
    assert not second.flush(2)
    assert second.counts().left == 30
    file.rmdir()
    file.write_bytes(content)
    eventually(lambda: sorted(server.accepted_ids) == sorted(face.ids_of(calls)), "all arrive")


@as_root
def test_a_tiny_disk_loses_nothing_while_arthur_is_there(
    server: FaultServer, face: Face, configured: Callable[..., object], tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=2m,nr_inodes=20", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        delivery = Delivery(configured(spool_dir=disk / "spool"), metrics=False)  # type: ignore[arg-type]
        calls = [call for _ in range(10) for call in llm_calls(30, 5000)]
        for start in range(0, len(calls), 30):
            assert delivery.submit(calls[start : start + 30]).refused == 0
        eventually(lambda: set(face.ids_of(calls)) <= set(server.accepted_ids), "all arrive")
        delivery.shutdown(20)
        balance(delivery.counts())
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


DROPPED = """
import os, sys
from otel_arthur.configuration import Configuration
from otel_arthur.delivery import Delivery
from tests.support.spans.llm_calls import llm_calls
delivery = Delivery(Configuration.from_environment(), metrics=False)
delivery.submit(llm_calls(1))
assert delivery.flush(120)
os.setuid(65534)
calls = llm_calls(30, 5000)
print(delivery.submit(calls).refused, flush=True)
while delivery.counts().sent < 31:
    delivery.flush(0.2)
delivery.shutdown(1)
print(delivery.counts().sent, delivery.counts().unaccounted)
"""


@as_root
def test_privileges_dropped_after_the_start_lose_nothing(environ: dict[str, str]) -> None:
    done = finished([sys.executable, "-c", DROPPED], env=environ)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["0", "31", "0"], done.stderr


def test_a_relative_folder_is_what_it_was_first(
    server: FaultServer, deliver: Callable[..., Delivery], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.stop()
    monkeypatch.chdir(tmp_path)
    relative = Path(f"spool-{tmp_path.name}")
    assert deliver(spool_dir=relative).submit(llm_calls(1)).spooled == 1
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    later = deliver(spool_dir=relative, timeout=50.0)
    assert later.submit(llm_calls(1)).spooled == 1
    assert later.counts().left == 2
    assert not list((tmp_path / "elsewhere").iterdir())


def test_one_cause_is_one_line(
    deliver: Callable[..., Delivery], spool_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    delivery = deliver()
    shutil.rmtree(spool_dir / "bodies")
    (spool_dir / "bodies").write_text("no folder")
    for _ in range(4):
        # Each body has a name of its own, and the index can be read in between.
        delivery.submit(llm_calls(30, 5000))
        ask_again(delivery._spool)
        delivery.counts()
    assert len([line for line in caplog.messages if "cannot be used now" in line]) == 1


def test_a_disk_that_works_again_takes_what_memory_holds_at_the_end(
    server: FaultServer, deliver: Callable[..., Delivery], spool_dir: Path
) -> None:
    server.stop()
    delivery = deliver()
    shutil.rmtree(spool_dir / "bodies")
    (spool_dir / "bodies").write_text("no folder")
    assert delivery.submit(llm_calls(30, 5000)).in_memory == 30
    (spool_dir / "bodies").unlink()
    # The disk still rests from its failure.
    delivery.shutdown(1)
    counts = delivery.counts()
    assert (counts.left, counts.lost) == (30, {})
    balance(counts)
