"""The end of a process waits while Arthur accepts rows, and says in one line why calls are left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.servers.fault_behaviours import at_most, delay, drip, hang, status
from tests.support.servers.fault_exchange import Behaviour
from tests.support.servers.fault_server import FaultServer
from tests.support.waiting import PATIENCE, eventually

PROGRAM = Path(__file__).parents[1] / "support/processes/ends_program.py"
PYTHON = os.environ.get("ENDS_PYTHON", sys.executable)
FAR_BELOW_ONE_REQUEST = 2 * PATIENCE
"""The request's own limit is set to ten minutes: an end that waited for one would take far longer."""


@pytest.fixture
def start(environ: dict[str, str]) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []
    environ |= {"OTEL_EXPORTER_ARTHUR_TIMEOUT": "600"}

    def run(*arguments: str, **extra: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [PYTHON, str(PROGRAM), *arguments],
            env={**environ, **extra},
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield run
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()


ONE_ROW_IN_TWO_SECONDS = at_most(500, delay(2.0))
"""A request of several rows is refused as too large."""
FAULTS: dict[str, tuple[Behaviour, str]] = {
    "hangs": (hang(), "answer"),
    "drips": (drip(0.5), "answer"),
    "fails": (status(503), "503"),
}


@pytest.mark.parametrize("spool", ["on disk", "off"])
@pytest.mark.parametrize("fault", FAULTS)
def test_an_end_says_what_arthur_did_and_how_many_calls_wait(
    server: FaultServer, start: Callable[..., subprocess.Popen[str]], fault: str, spool: str
) -> None:
    behaviour, why = FAULTS[fault]
    server.always(behaviour)
    extra = {"OTEL_EXPORTER_ARTHUR_SPOOL_DIR": "off"} if spool == "off" else {}
    process = start("exit", ENDS_IDLE_SECONDS="6", **extra)
    _, said = process.communicate(timeout=FAR_BELOW_ONE_REQUEST)
    assert process.returncode == 0
    *_, line = said.splitlines()
    assert line.startswith("otel-arthur: 0 inferences sent, 8 inferences not sent, ")
    assert why in line
    assert ("for the next run: " if spool == "on disk" else "lost with the memory: ") in line
    assert "Traceback" not in said


def test_a_slow_arthur_gets_all_as_long_as_it_accepts(
    server: FaultServer, start: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    """Each row takes two seconds: eight of them longer than the end waits, and no pause is."""
    server.always(ONE_ROW_IN_TWO_SECONDS)
    process = start("exit", ENDS_IDLE_SECONDS="6")
    _, said = process.communicate(timeout=2 * PATIENCE)
    assert (process.returncode, said) == (0, "")
    assert sorted(server.accepted_ids) == sorted((tmp_path / "calls").read_text().split())


@pytest.mark.parametrize("fault", ["hangs", "slow"])
def test_ctrl_c_ends_the_wait(
    server: FaultServer, start: Callable[..., subprocess.Popen[str]], fault: str
) -> None:
    server.always(hang() if fault == "hangs" else ONE_ROW_IN_TWO_SECONDS)
    process = start("exit")
    eventually(lambda: server.sends, "rows are sent")
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=FAR_BELOW_ONE_REQUEST)
    assert process.returncode == 0, said
    assert "Traceback" not in said
    assert said.rstrip().endswith("the wait was interrupted"), said
