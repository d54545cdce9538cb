"""kill -9 while the disk fails: what was told to be on disk arrives, and the books on the disk hold."""

from __future__ import annotations

import os
import random
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson
import pytest

from tests.delivery.faults.test_kills import APPLICATION, drain
from tests.delivery.faults.test_real_disks import fill
from tests.support.processes.lines import next_line, whole_lines
from tests.support.servers.fault_server import FaultServer
from tests.support.waiting import PATIENCE

ROUNDS = int(os.environ.get("KILL_ROUNDS", "1"))
Process = subprocess.Popen


@pytest.fixture
def spool_dir(ext4: Path) -> Path:
    return ext4 / "the-spool"


@contextmanager
def full(disk: Path) -> Iterator[None]:
    fill(disk)
    yield
    for path in disk.iterdir():
        if path.is_file():
            path.unlink()


def test_killed_while_the_disk_fails_many_times(
    server: FaultServer,
    run: Callable[..., Process[bytes]],
    ext4: Path,
    freeze: Callable[[str], None],
    stopped_holder: Callable[[], Process[bytes]],
) -> None:
    @contextmanager
    def hanging(_disk: Path) -> Iterator[None]:
        freeze("--freeze")
        yield
        freeze("--unfreeze")

    @contextmanager
    def held(_disk: Path) -> Iterator[None]:
        holder = stopped_holder()
        yield
        holder.kill()

    seed = random.randrange(2**32)
    print("seed", seed)
    chance = random.Random(seed)
    handed: set[str] = set()
    faults = (full, hanging, held)
    for fault in faults * ROUNDS:
        processes = [run("-m", APPLICATION, "stream", str(chance.choice([1, 40]))) for _ in range(2)]
        # Each says its first call once the disk has it: also that a disk that was full gets empty again.
        said = [next_line(process) for process in processes]
        with fault(ext4):
            time.sleep(chance.uniform(0.0, 0.6))
            for process in processes:
                process.kill()
        for process, first in zip(processes, said, strict=True):
            # A line that is whole was written once the disk had the call.
            handed.update(whole_lines(process, first))
    drain(run)
    presented = set(server.accepted_ids)
    assert handed <= presented
    status = run("-m", "otel_arthur", "spool", "status", "--json").communicate(timeout=PATIENCE)[0]
    (destination,) = (d for d in orjson.loads(status)["destinations"] if d["destination"]["identity"])
    outcomes = next(iter(destination["outcomes"].values()))
    # What went by memory alone is in no book on the disk.
    assert len(handed) <= outcomes["appended"] == outcomes["sent"] <= len(presented)
    kills, rows = 2 * len(faults) * ROUNDS, len(server.accepted_ids)
    print(f"figures: {kills} kills, {len(handed)} calls on disk, none lost, {rows} presented, ", end="")
    print(f"{rows - len(presented)} of them again")
