"""The ends of real servers right after their answers: no call is lost, each is sent once.

The batch processor is told to wait an hour, so every call sits in its queue when the signal comes.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.processes.running import serving
from tests.support.servers.fault_server import FaultServer
from tests.support.servers.ports import free_port
from tests.support.waiting import PATIENCE, eventually

FOLDER = Path(__file__).parents[1] / "support/processes"
PYTHON = os.environ.get("ENDS_PYTHON", sys.executable)
CALLS = 20
UVICORN = ["uvicorn", "--port", "{port}"]
PATIENT = ["--timeout-worker-healthcheck", "120"]
"""On a busy machine a worker needs longer than 5 seconds to begin, and uvicorn would replace it."""
SERVERS = {
    "uvicorn": [*UVICORN, "ends_asgi:app"],
    "uvicorn, two workers": [*UVICORN, "--workers", "2", *PATIENT, "ends_asgi:app"],
    "gunicorn, uvicorn.workers": ["gunicorn", "-w", "2", "-k", "uvicorn.workers.UvicornWorker"],
    "gunicorn, uvicorn_worker": ["gunicorn", "-w", "2", "-k", "uvicorn_worker.UvicornWorker"],
}
ZERO_CODE = "zero code"
EXPORTERS = [ZERO_CODE, "application"]
BIND = ["-b", "127.0.0.1:{port}", "ends_asgi:app"]


pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no SIGTERM, no gunicorn")


@pytest.fixture
def start(environ: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start a server, which answers each of the calls."""
    own = {
        "PYTHONPATH": str(FOLDER),
        # Of uvicorn: `uvicorn.workers` is deprecated.
        "PYTHONWARNINGS": "ignore",
        "OTEL_TRACES_EXPORTER": "arthur",
        "OTEL_BSP_SCHEDULE_DELAY": "3600000",
    }
    with serving({**environ, **own}, tmp_path / "said") as run:

        def start(name: str, exporter: str, *options: str) -> subprocess.Popen[bytes]:
            port = free_port()
            command = [*SERVERS[name], *options, *(BIND if "gunicorn" in name else [])]
            instrument = str(Path(PYTHON).with_name("opentelemetry-instrument"))
            python = [instrument, PYTHON] if exporter == ZERO_CODE else [PYTHON]
            arguments = [part.format(port=port) for part in command]
            process = run(*python, "-m", *arguments, EXPORTER=exporter)
            for _ in range(CALLS):
                ask(port, process)
            return process

        yield start


@pytest.mark.parametrize("exporter", EXPORTERS)
@pytest.mark.parametrize("name", SERVERS)
def test_a_server_ends_by_sigterm(
    server: FaultServer,
    start: Callable[..., subprocess.Popen[bytes]],
    tmp_path: Path,
    name: str,
    exporter: str,
) -> None:
    process = start(name, exporter)
    process.terminate()
    process.wait(PATIENCE)
    recorded = sorted((tmp_path / "calls").read_text().split())
    told = (tmp_path / "said").read_text()
    assert len(recorded) == CALLS
    assert sorted(server.accepted_ids) == recorded, told
    assert "otel-arthur" not in told


@pytest.mark.parametrize("exporter", EXPORTERS)
def test_a_worker_that_gunicorn_will_kill_hands_over_first(
    server: FaultServer,
    start: Callable[..., subprocess.Popen[bytes]],
    environ: dict[str, str],
    tmp_path: Path,
    exporter: str,
) -> None:
    environ["OTEL_EXPORTER_ARTHUR_DUPLICATE_WINDOW"] = "0"
    # SIGINT to the master alone: the worker's server does not end by what the master sends then.
    process = start("gunicorn, uvicorn_worker", exporter, "--graceful-timeout", str(int(PATIENCE)))
    process.send_signal(signal.SIGINT)
    eventually(lambda: len(server.accepted_ids) >= CALLS, "the calls at Arthur")
    assert sorted(server.accepted_ids) == sorted((tmp_path / "calls").read_text().split())


def ask(port: int, process: subprocess.Popen[bytes]) -> None:
    """Ask, as soon as the server listens."""

    def is_answered() -> bool:
        assert process.poll() is None, "the server has ended"
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=PATIENCE).read()
        except (urllib.error.URLError, ConnectionError):
            return False
        return True

    eventually(is_answered, "an answer")
