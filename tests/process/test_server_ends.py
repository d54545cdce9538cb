"""The ends of real servers by SIGTERM right after their answers: no call is lost, each is sent once.

The batch processor is told to wait an hour, so every call sits in its queue when the signal comes.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

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
BIND = ["-b", "127.0.0.1:{port}", "ends_asgi:app"]


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGTERM, no gunicorn")
@pytest.mark.parametrize("exporter", ["zero code", "application"])
@pytest.mark.parametrize("name", SERVERS)
def test_a_server_ends_by_sigterm(
    server: FaultServer, environ: dict[str, str], tmp_path: Path, name: str, exporter: str
) -> None:
    port = free_port()
    command = [part.format(port=port) for part in (SERVERS[name] + (BIND if "gunicorn" in name else []))]
    environ |= {
        "EXPORTER": exporter,
        "PYTHONPATH": str(FOLDER),
        # Of uvicorn: `uvicorn.workers` is deprecated.
        "PYTHONWARNINGS": "ignore",
        "OTEL_TRACES_EXPORTER": "arthur",
        "OTEL_BSP_SCHEDULE_DELAY": "3600000",
    }
    instrument = [str(Path(PYTHON).with_name("opentelemetry-instrument"))] if exporter == "zero code" else []
    with (tmp_path / "said").open("wb") as said:
        process = subprocess.Popen(
            [*instrument, PYTHON, "-m", *command],
            env=environ,
            stderr=said,
            stdout=said,
            start_new_session=True,
        )
    try:
        for _ in range(CALLS):
            ask(port, process)
        process.terminate()
        process.wait(PATIENCE)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    recorded = sorted((tmp_path / "calls").read_text().split())
    told = (tmp_path / "said").read_text()
    assert len(recorded) == CALLS
    assert sorted(server.accepted_ids) == recorded, told
    assert "otel-arthur" not in told


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
