"""Each ordinary end of a process, with real processes: no call is lost, each is sent once.

The batch processor is told to wait an hour, so every call sits in its queue when the end comes.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.support.servers.fault_server import MODEL_ID, FaultServer
from tests.support.waiting import PATIENCE

PROGRAM = Path(__file__).parents[1] / "support/processes/ends_program.py"
PYTHON = os.environ.get("ENDS_PYTHON", sys.executable)
OTHER_MODEL = "44444444-4444-4444-4444-444444444444"
METHODS = ("fork", "forkserver", "spawn")


@pytest.fixture
def ended(
    server: FaultServer, environ: dict[str, str], tmp_path: Path
) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs the program to its end, and compares what it recorded with what Arthur took."""

    def run(*arguments: str, code: int = 0, **extra: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [PYTHON, str(PROGRAM), *arguments],
            env={**environ, **extra},
            capture_output=True,
            text=True,
            timeout=2 * PATIENCE,
            # Whoever runs the tests may ignore it, as `nohup` does, and a child inherits that.
            preexec_fn=partial(signal.signal, signal.SIGHUP, signal.SIG_DFL),
        )
        assert done.returncode == code, done.stderr
        recorded = sorted((tmp_path / "calls").read_text().split())
        assert recorded
        assert sorted(server.accepted_ids) == recorded, done.stderr
        return done

    return run


@pytest.mark.parametrize("spool", ["on disk", "off"])
@pytest.mark.parametrize("end", ["exit", "exit without the provider's handler"])
def test_a_script_just_ends(
    ended: Callable[..., subprocess.CompletedProcess[str]], end: str, spool: str
) -> None:
    extra = {"OTEL_EXPORTER_ARTHUR_SPOOL_DIR": "off"} if spool == "off" else {}
    assert ended(end, **extra).stderr == ""


@pytest.mark.parametrize("spool", ["on disk", "off"])
def test_a_script_of_two_models_just_ends(
    ended: Callable[..., subprocess.CompletedProcess[str]], server: FaultServer, spool: str
) -> None:
    routes = {
        "OTEL_EXPORTER_ARTHUR_MODELS": f"a={MODEL_ID},b={OTHER_MODEL}",
        "OTEL_EXPORTER_ARTHUR_MODEL_ID": "",
    }
    if spool == "off":
        routes["OTEL_EXPORTER_ARTHUR_SPOOL_DIR"] = "off"
    assert ended("exit, two models", **routes).stderr == ""
    assert {request.path.split("/")[4] for request in server.sends} == {MODEL_ID, OTHER_MODEL}


@pytest.mark.parametrize("end", ["SIGTERM", "SIGTERM during the exit", "SIGHUP"])
def test_a_script_ends_by_sigterm(ended: Callable[..., subprocess.CompletedProcess[str]], end: str) -> None:
    assert ended(end, code=-signal.SIGHUP if end == "SIGHUP" else -signal.SIGTERM).stderr == ""


def test_a_script_ends_by_ctrl_c(ended: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    """The status says so, as without us: of one that is 1 a shell's loop goes on."""
    assert ended("SIGINT", code=-signal.SIGINT).stderr.endswith("KeyboardInterrupt\n")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_forked_children_of_a_parent_that_records(
    ended: Callable[..., subprocess.CompletedProcess[str]],
) -> None:
    """The provider is not the global one."""
    assert ended("children of a recording parent", "fork").stderr == ""


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "kind", ["recording children", "recording pool", "recording executor", "terminated pool"]
)
def test_children_that_make_their_exporter(
    ended: Callable[..., subprocess.CompletedProcess[str]], kind: str, method: str
) -> None:
    assert ended(kind, method).stderr == ""
