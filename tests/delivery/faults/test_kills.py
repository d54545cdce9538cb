"""kill -9 in each state and at random points: what was handed over arrives, under the same ids."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable

import orjson
import pytest

from tests.support.processes.lines import next_line, whole_lines
from tests.support.servers.faces import Face
from tests.support.servers.fault_server import FaultServer
from tests.support.waiting import PATIENCE

APPLICATION = "tests.support.processes.application"
ROUNDS = int(os.environ.get("KILL_ROUNDS", "6"))


def application(run: Callable[..., subprocess.Popen[bytes]], mode: str, count: int) -> set[str]:
    """Runs it to its end; the ids that it handed over."""
    process = run("-m", APPLICATION, mode, str(count))
    said, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode in (0, -signal.SIGKILL), errors.decode()
    assert mode == "exit" or process.returncode == -signal.SIGKILL, errors.decode()
    return set(said.decode().split())


def drain(run: Callable[..., subprocess.Popen[bytes]]) -> dict[str, int]:
    process = run("-m", "otel_arthur", "spool", "drain", "--json", "--timeout", "40")
    said, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors.decode()
    return orjson.loads(said)


def test_down_500_calls_kill_up_drain(
    server: FaultServer, run: Callable[..., subprocess.Popen[bytes]]
) -> None:
    server.stop()
    handed = application(run, "die after append", 500)
    assert len(handed) == 500
    server.start()
    assert drain(run)["sent"] == 500
    assert sorted(server.accepted_ids) == sorted(handed)


@pytest.mark.parametrize("mode", ["die before append", "die between body and commit", "die before sending"])
def test_killed_before_arthur_has_it_nothing_is_presented_twice(
    server: FaultServer, run: Callable[..., subprocess.Popen[bytes]], mode: str
) -> None:
    handed = application(run, mode, 50)
    assert len(handed) == 50
    drain(run)
    assert sorted(server.accepted_ids) == sorted(handed)


@pytest.mark.parametrize("mode", ["die after acceptance", "die in finish"])
def test_killed_after_acceptance_the_same_rows_are_presented_once_more(
    server: FaultServer, face: Face, run: Callable[..., subprocess.Popen[bytes]], mode: str
) -> None:
    handed = application(run, mode, 50)
    assert drain(run)["sent"] == 50
    assert Counter(server.accepted_ids) == dict.fromkeys(handed, face.times)


def test_four_processes_on_one_spool(
    server: FaultServer, run: Callable[..., subprocess.Popen[bytes]]
) -> None:
    server.stop()
    processes = [run("-m", APPLICATION, "die after append", "125") for _ in range(4)]
    handed: set[str] = set()
    for process in processes:
        said, _ = process.communicate(timeout=PATIENCE)
        handed.update(said.decode().split())
    assert len(handed) == 500
    server.start()
    drains = [run("-m", "otel_arthur", "spool", "drain", "--json", "--timeout", "40") for _ in range(2)]
    sent = 0
    for process in drains:
        said, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == 0, errors.decode()
        sent += orjson.loads(said)["sent"]
    assert sent == 500
    assert sorted(server.accepted_ids) == sorted(handed)


def test_killed_at_random_points_many_times(
    server: FaultServer, face: Face, run: Callable[..., subprocess.Popen[bytes]]
) -> None:
    seed = random.randrange(2**32)
    print("seed", seed)
    chance = random.Random(seed)
    handed: set[str] = set()
    for _ in range(ROUNDS):
        sizes = [str(chance.choice([1, 40])) for _ in range(2)]
        processes = [run("-m", APPLICATION, "stream", size) for size in sizes]
        said = [next_line(process) for process in processes]
        time.sleep(chance.uniform(0.0, 0.6))
        for process in processes:
            process.kill()
        for process, first in zip(processes, said, strict=True):
            # A line that is whole was written after the append.
            handed.update(whole_lines(process, first))
    drain(run)
    presented = Counter(server.accepted_ids)
    assert handed <= set(presented)
    if face.times == 1:
        assert set(presented.values()) == {1}
    status = run("-m", "otel_arthur", "spool", "status", "--json").communicate(timeout=PATIENCE)[0]
    (destination,) = (d for d in orjson.loads(status)["destinations"] if d["destination"]["identity"])
    outcomes = next(iter(destination["outcomes"].values()))
    # The spool's own books hold through the kills: each id once, however often it was presented.
    assert outcomes["appended"] == outcomes["sent"] == len(presented)
    assert destination["oldest_seconds"] is None
    kills, rows = 2 * ROUNDS, len(server.accepted_ids)
    print(f"figures: {kills} kills, {len(handed)} calls handed over, none lost, {rows} presented")
