"""What is said of calls that wait is true: how many, where, and why."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from otel_arthur.delivery import Delivery
from tests.delivery.faults.test_real_disks import fill, no_descriptors
from tests.support.books import balance
from tests.support.processes.running import finished
from tests.support.servers.faces import Face
from tests.support.servers.fault_server import FaultServer
from tests.support.spans.llm_calls import llm_calls
from tests.support.waiting import PATIENCE, eventually

Deliver = Callable[..., Delivery]


def last_line(caplog: pytest.LogCaptureFixture) -> str:
    return next(line for line in reversed(caplog.messages) if " sent, " in line)


def rows_of(face: Face) -> str:
    """How the last line calls what is sent."""
    return face.rows.partition(" ")[0].lower()


def test_beside_a_stopped_holder_the_last_line_tells_disk_from_memory(
    server: FaultServer,
    face: Face,
    deliver: Deliver,
    stopped_holder: Callable[[], subprocess.Popen[bytes]],
    spool_dir: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    server.stop()
    delivery = deliver()
    assert delivery.submit(llm_calls(5)).spooled == 5
    stopped_holder()
    assert delivery.submit(llm_calls(20)).in_memory == 20
    delivery.shutdown(PATIENCE)
    line = last_line(caplog)
    assert f"5 {rows_of(face)} not sent, left in {spool_dir} for the next run" in line
    assert f"20 {rows_of(face)} not sent, in memory only" in line
    counts = delivery.counts()
    assert (counts.left, counts.lost) == (5, {"spool failed": 20})
    balance(counts)


def test_what_lies_in_a_folder_out_of_reach_is_told(
    server: FaultServer, deliver: Deliver, spool_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.stop()
    delivery = deliver()
    assert delivery.submit(llm_calls(5)).spooled == 5
    spool_dir.rename(spool_dir.with_name("elsewhere"))
    spool_dir.write_text("no folder")
    delivery.shutdown(PATIENCE)
    # A worker that looked first has counted them as lost.
    left = f"5 not sent, left in {spool_dir}, which cannot be read now"
    assert any(words in last_line(caplog) for words in (left, "5 lost (gone from the disk)"))
    balance(delivery.counts())


def test_a_request_that_cannot_be_made_is_told_as_that(
    server: FaultServer,
    face: Face,
    deliver: Deliver,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    delivery = deliver()
    with monkeypatch.context() as broken:
        broken.setitem(sys.modules, "requests", None)
        delivery.submit(llm_calls(5))
        assert not delivery.finish(PATIENCE)
        line = last_line(caplog)
        assert f"5 {rows_of(face)} not sent" in line
        assert "can be made (ModuleNotFoundError: import of requests halted" in line
    assert eventually(lambda: delivery.flush(5), "all is sent once it can be")
    balance(delivery.counts())


def test_rows_that_cannot_be_read_are_told_as_that(
    server: FaultServer, deliver: Deliver, caplog: pytest.LogCaptureFixture
) -> None:
    server.stop()
    first = deliver()
    first.submit(llm_calls(20, 5000))
    first.shutdown(1)
    server.start()
    second = deliver()
    second._spool.status()
    with no_descriptors():
        assert not second.finish(PATIENCE)
    assert "Too many open files" in last_line(caplog)
    assert "Arthur does not take" not in last_line(caplog)


@pytest.mark.parametrize("command", [["spool", "drain"], ["check"]])
def test_a_command_names_the_disk_that_hangs(
    server: FaultServer,
    deliver: Deliver,
    ext4: Path,
    environ: dict[str, str],
    freeze: Callable[[str], None],
    command: list[str],
) -> None:
    server.stop()
    delivery = deliver(spool_dir=ext4 / "spool")
    delivery.submit(llm_calls(7))
    delivery.shutdown(1)
    server.start()
    freeze("--freeze")
    environ["OTEL_EXPORTER_ARTHUR_SPOOL_DIR"] = str(ext4 / "spool")
    # Without an end while the disk hangs this would wait for ever.
    told = finished([sys.executable, "-m", "otel_arthur", *command], env=environ)
    assert told.returncode == 1
    assert f"mounted on {ext4}) does not answer" in told.stdout + told.stderr


def test_drain_of_a_disk_that_is_read_only_says_so_with_what_waits(
    server: FaultServer, deliver: Deliver, mounted: Callable[..., Path], invoke: object
) -> None:
    disk = mounted("-t", "tmpfs", "-o", "size=6m", "tmpfs")
    server.stop()
    delivery = deliver(spool_dir=disk / "spool")
    delivery.submit(llm_calls(7))
    delivery.shutdown(1)
    server.start()
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    command = [sys.executable, "-m", "otel_arthur", "spool", "drain", "--dir", str(disk / "spool")]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 1
    assert "is read-only" in told.stderr
    assert "records that wait there: 7" in told.stderr


@pytest.mark.parametrize("fault", ["read-only", "full"])
def test_check_is_red_where_the_spool_s_disk_takes_no_call(
    server: FaultServer,
    deliver: Deliver,
    mounted: Callable[..., Path],
    environ: dict[str, str],
    tmp_path: Path,
    fault: str,
) -> None:
    """As a process leaves it that was killed, with SQLite's log beside the database."""
    disk = mounted("-t", "tmpfs", "-o", "size=6m", "tmpfs")
    server.stop()
    delivery = deliver(spool_dir=tmp_path / "alive")
    delivery.submit(llm_calls(7))
    shutil.copytree(tmp_path / "alive", disk / "spool")
    assert (disk / "spool" / "spool.db-wal").exists()
    delivery.shutdown(0)
    server.start()
    command = [sys.executable, "-m", "otel_arthur", "check", "--json"]
    environ["OTEL_EXPORTER_ARTHUR_SPOOL_DIR"] = str(disk / "spool")

    def spool_findings() -> list[tuple[str, str]]:
        found = json.loads(finished(command, env=environ).stdout)["findings"]
        return [(one["level"], one["text"]) for one in found if one["topic"] == "spool"]

    assert [level for level, _ in spool_findings()] == ["green"]
    if fault == "full":
        fill(disk)
        reason = "No space left on device"
    else:
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        reason = "its file system is read-only"
    ((level, text),) = spool_findings()
    assert level == "red"
    assert f"the spool in {disk / 'spool'} cannot be used: " in text
    assert reason in text
    assert "records that wait there: 7" in text
