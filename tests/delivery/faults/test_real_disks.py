"""What real disks do while calls are recorded and sent: nothing is lost while Arthur is there."""

from __future__ import annotations

import contextlib
import os
import re
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from otel_arthur.delivery import Delivery
from otel_arthur.spool.fallback.backed import BackedSpool
from otel_arthur.spool.queue import reading
from tests.support.books import balance
from tests.support.paths import ROOT
from tests.support.processes.running import finished
from tests.support.servers.faces import Face
from tests.support.servers.fault_server import FaultServer
from tests.support.spans.llm_calls import llm_calls
from tests.support.spans.spool_records import HERE, batch
from tests.support.waiting import eventually

Deliver = Callable[..., Delivery]


def fill(disk: Path) -> None:
    """To the last byte, and the last inode."""
    with contextlib.suppress(OSError), (disk / "filler").open("wb", buffering=0) as filler:
        while True:
            filler.write(bytes(512))
    with contextlib.suppress(OSError):
        for number in range(1000):
            (disk / f"{number}").touch()


@contextmanager
def no_descriptors() -> Iterator[None]:
    """The process can open no more files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    free = os.open(os.devnull, os.O_RDONLY)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def arrive(server: FaultServer, delivery: Delivery, ids: list[str]) -> None:
    """All are accepted, and the books hold."""
    eventually(lambda: set(ids) <= set(server.accepted_ids), "all calls arrive")
    assert eventually(lambda: delivery.flush(5), "a flush that sees all sent")
    balance(delivery.counts())


@pytest.mark.parametrize("options", ["size=6m", "size=6m,nr_inodes=20"], ids=["bytes", "inodes"])
def test_a_full_disk_with_the_reserve_in_place_can_be_read_and_drained(
    server: FaultServer, face: Face, deliver: Deliver, mounted: Callable[..., Path], options: str
) -> None:
    disk = mounted("-t", "tmpfs", "-o", options, "tmpfs")
    server.stop()
    first = deliver(spool_dir=disk / "spool")
    calls = llm_calls(30, 5000)
    first.submit(calls)
    first.shutdown(0.2)
    fill(disk)
    command = [sys.executable, "-m", "otel_arthur", "spool", "status", "--dir", str(disk / "spool")]
    done = finished(command, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    other = BackedSpool(disk / "spool", 1 << 30)
    assert other.keep(HERE, batch(30, 200_000))[1] == 30
    other.last_number()  # a full disk can be read
    assert re.search("full|No space", other.trouble.rpartition("(")[2]), other.trouble
    other.close()
    server.start()
    second = deliver(spool_dir=disk / "spool")
    second.start()
    eventually(lambda: set(face.ids_of(calls)) <= set(server.accepted_ids), "all calls arrive")
    assert eventually(lambda: second.flush(5), "a flush that sees all sent")


def test_out_of_descriptors_while_recording(server: FaultServer, face: Face, deliver: Deliver) -> None:
    delivery = deliver()
    first, calls = llm_calls(1), llm_calls(40, 5000)
    delivery.submit(first)
    assert delivery.flush(60)
    with no_descriptors():
        for start in range(0, 40, 10):
            assert delivery.submit(calls[start : start + 10]).refused == 0
    arrive(server, delivery, face.ids_of([*first, *calls]))


def test_out_of_descriptors_while_reading(
    server: FaultServer, face: Face, deliver: Deliver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "UNREADABLE_SECONDS", 0.2)
    server.stop()
    calls = llm_calls(30, 5000)
    first = deliver()
    first.submit(calls)
    first.shutdown(0.2)
    second = deliver()
    with no_descriptors():
        second.start()
        assert not second.flush(1)
        assert second.counts().lost == {}
    server.start()
    eventually(lambda: sorted(server.accepted_ids) == sorted(face.ids_of(calls)), "all calls arrive")


def test_a_file_system_that_turns_read_only(
    server: FaultServer, face: Face, deliver: Deliver, ext4: Path
) -> None:
    delivery = deliver(spool_dir=ext4 / "spool")
    calls = llm_calls(60, 5000)
    delivery.submit(calls[:20])
    # What the kernel does itself after an error of the disk.
    subprocess.run(["mount", "-o", "remount,abort", str(ext4)], capture_output=True, check=False)
    with pytest.raises(OSError, match="Read-only"):
        (ext4 / "probe").touch()
    for start in (20, 40):
        assert delivery.submit(calls[start : start + 20]).refused == 0
    eventually(lambda: set(face.ids_of(calls[20:])) <= set(server.accepted_ids), "what memory took arrives")
    delivery.shutdown(1)
    counts = delivery.counts()
    balance(counts)
    # While the disk is not well `left` is taken from the books: what ended, and how, must be said as well.
    assert counts.sent >= 40, counts
    assert counts.lost == {}


def _cut_log(spool: Path) -> None:
    os.truncate(spool / "spool.db-wal", 0)


def _cut_half_the_log(spool: Path) -> None:
    os.truncate(spool / "spool.db-wal", (spool / "spool.db-wal").stat().st_size // 2)


def _folder_for_database(spool: Path) -> None:
    (spool / "spool.db").unlink()
    (spool / "spool.db").mkdir()


def _empty_database(spool: Path) -> None:
    os.truncate(spool / "spool.db", 0)


def _letters_for_database(spool: Path) -> None:
    (spool / "spool.db").write_text("a letter\n" * 1000)


@pytest.mark.parametrize(
    "change", [_cut_log, _cut_half_the_log, _folder_for_database, _empty_database, _letters_for_database]
)
def test_the_index_is_spoiled_under_a_running_process(
    server: FaultServer, face: Face, deliver: Deliver, spool_dir: Path, change: Callable[[Path], None]
) -> None:
    delivery = deliver()
    first = llm_calls(5)
    delivery.submit(first)
    assert delivery.flush(60)
    change(spool_dir)
    calls = llm_calls(40, 5000)
    for start in range(0, 40, 10):
        assert delivery.submit(calls[start : start + 10]).refused == 0
    arrive(server, delivery, face.ids_of([*first, *calls]))


LIMITED = """
import os, resource
from otel_arthur.sdk.span_exporter import ArthurSpanExporter
from otel_arthur.delivery import Delivery
from otel_arthur.configuration import Configuration
from tests.support.spans.llm_calls import llm_calls
delivery = Delivery(Configuration.from_environment(), metrics=False)
delivery.submit(llm_calls(1))
assert delivery.flush(60)
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))
calls = llm_calls(60, 5000)
print(sum(delivery.submit(calls[n : n + 10]).refused for n in range(0, 60, 10)))
delivery.flush(60)
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
delivery.shutdown(60)
print(delivery.counts().sent, delivery.counts().unaccounted)
"""


def test_a_limit_of_file_sizes(environ: dict[str, str]) -> None:
    done = finished([sys.executable, "-c", LIMITED], env=environ)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["0", "61", "0"], done.stderr


def test_a_disk_that_hangs_bounds_nobody_and_loses_nothing(
    server: FaultServer, face: Face, deliver: Deliver, ext4: Path, freeze: Callable[[str], None]
) -> None:
    delivery = deliver(spool_dir=ext4 / "spool")
    calls = llm_calls(60, 5000)
    delivery.submit(calls[:10])
    assert delivery.flush(60)
    freeze("--freeze")
    # Each of these would wait for ever.
    assert delivery.submit(calls[10:30]).in_memory == 20
    assert delivery.submit(calls[30:40]).in_memory == 10
    delivery.skip("no content")
    assert not delivery.flush(2)
    eventually(lambda: set(face.ids_of(calls[:40])) <= set(server.accepted_ids), "what memory took arrives")
    freeze("--unfreeze")
    delivery.submit(calls[40:])
    eventually(lambda: set(face.ids_of(calls)) <= set(server.accepted_ids), "all calls arrive")
    assert eventually(lambda: delivery.flush(5), "a flush that sees all sent")
    balance(delivery.counts())
    assert len(server.accepted_ids) == len(calls)


def test_a_disk_that_hangs_from_the_start_holds_no_constructor(
    server: FaultServer, face: Face, deliver: Deliver, ext4: Path, freeze: Callable[[str], None]
) -> None:
    freeze("--freeze")
    # Each of these would wait for ever.
    delivery = deliver(spool_dir=ext4 / "spool")
    calls = llm_calls(20, 5000)
    assert delivery.submit(calls[:10]).in_memory == 10
    eventually(lambda: set(face.ids_of(calls[:10])) <= set(server.accepted_ids), "what memory took arrives")
    freeze("--unfreeze")
    eventually(lambda: delivery.submit(llm_calls(1)).spooled, "the disk takes calls")
    arrive(server, delivery, face.ids_of(calls[:10]))


def test_a_process_ends_though_its_disk_hangs(
    server: FaultServer, face: Face, deliver: Deliver, ext4: Path, freeze: Callable[[str], None]
) -> None:
    delivery = deliver(spool_dir=ext4 / "spool")
    calls = llm_calls(20, 5000)
    delivery.submit(calls[:10])
    assert delivery.flush(60)
    freeze("--freeze")
    assert delivery.submit(calls[10:]).in_memory == 10
    delivery.shutdown(30)
    assert set(face.ids_of(calls)) <= set(server.accepted_ids)
    counts = delivery.counts()
    balance(counts)
    assert (counts.sent, counts.lost) == (20, {}), counts
