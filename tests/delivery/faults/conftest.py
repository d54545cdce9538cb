"""Each fault is met on the way to either of Arthur's faces.

What disks and kills do is the spool's, whatever the target: on the way to the Engine those run in
``make faults`` (FACES=all), and in every run only what concerns its connection and its doubts.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.processes.lines import next_line
from tests.support.processes.running import starting
from tests.support.servers.faces import ENGINE, V3

HOLDER = """
import sqlite3, sys, time
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("BEGIN IMMEDIATE")
print("held", flush=True)
time.sleep(600)
"""
BOTH = (
    "test_it_waits_and_arrives_once_mended",
    "test_an_authority_that_is_trusted_later_is_for_the_next_process",
    "test_a_proxy_that_refuses_holds_all_until_it_lets_through",
    "test_killed_after_acceptance_the_same_rows_are_presented_once_more",
    "test_killed_at_random_points_many_times",
)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    given = [mark.args[0] for mark in metafunc.definition.iter_markers("parametrize")]
    if "face" in metafunc.fixturenames and not any("face" in names for names in given):
        both = os.environ.get("FACES") == "all" or metafunc.function.__name__ in BOTH
        faces = {"v3": V3, "engine": ENGINE} if both else {"v3": V3}
        metafunc.parametrize("face", faces.values(), ids=faces.keys())


@pytest.fixture
def mounted(tmp_path: Path) -> Iterator[Callable[..., Path]]:
    """Disks of their own; skipped where nobody may mount."""
    made: list[Path] = []

    def mount(*arguments: str) -> Path:
        disk = tmp_path / f"disk{len(made)}"
        disk.mkdir()
        done = subprocess.run(["mount", *arguments, str(disk)], capture_output=True, check=False)
        if done.returncode:
            pytest.skip("mounting is not allowed here")
        made.append(disk)
        return disk

    yield mount
    for disk in made:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


@pytest.fixture
def ext4(mounted: Callable[..., Path], tmp_path: Path) -> Path:
    """A disk with a file system of the kernel's own, which can turn read-only or hang."""
    image = tmp_path / "image"
    with image.open("wb") as file:
        file.truncate(24 * 1024 * 1024)
    if subprocess.run(["mkfs.ext4", "-q", str(image)], capture_output=True, check=False).returncode:
        pytest.skip("no mkfs.ext4 here")
    return mounted("-o", "loop", str(image))


@pytest.fixture
def freeze(ext4: Path) -> Iterator[Callable[[str], None]]:
    """Makes each write to the disk hang in the kernel, until it is thawed."""

    def freeze(word: str) -> None:
        done = subprocess.run(["fsfreeze", word, str(ext4)], capture_output=True, check=False)
        if done.returncode and word == "--freeze":
            pytest.skip("nobody may freeze a file system here")

    yield freeze
    freeze("--unfreeze")


@pytest.fixture
def run(environ: dict[str, str]) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    with starting({**environ, "OTEL_EXPORTER_ARTHUR_DUPLICATE_WINDOW": "0.5"}) as start:
        yield lambda *arguments: start(sys.executable, *arguments)


@pytest.fixture
def stopped_holder(spool_dir: Path) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """A process that stands still while it holds the database."""
    started: list[subprocess.Popen[bytes]] = []

    def stop() -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(spool_dir / "spool.db")], bufsize=0, stdout=subprocess.PIPE
        )
        started.append(process)
        assert next_line(process) == b"held\n"
        process.send_signal(signal.SIGSTOP)
        return process

    yield stop
    for process in started:
        process.kill()
        process.communicate()
