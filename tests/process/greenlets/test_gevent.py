"""Applications of gevent: patched as gevent asks, and patched after the exporter was made."""

from __future__ import annotations

import signal
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.processes.running import Start, serving
from tests.support.servers.fault_server import FaultServer
from tests.support.servers.ports import free_port
from tests.support.waiting import PATIENCE, eventually

pytest.importorskip("gevent")
FOLDER = Path(__file__).parent
CALLS = 20
AT_ONCE = {"OTEL_EXPORTER_ARTHUR_DUPLICATE_WINDOW": "0"}


@pytest.fixture
def start(environ: dict[str, str], tmp_path: Path) -> Iterator[Start]:
    with serving({**environ, "PYTHONPATH": str(FOLDER)}, tmp_path / "said") as start:
        yield start


def said(tmp_path: Path) -> str:
    return (tmp_path / "said").read_text()


def calls(tmp_path: Path) -> list[str]:
    return sorted((tmp_path / "calls").read_text().split())


@pytest.mark.parametrize("patched", ["early", "late"])
def test_a_program_of_gevent_ends_by_sigterm(
    server: FaultServer, start: Start, tmp_path: Path, patched: str
) -> None:
    """The signal comes to gevent's loop, where nothing may wait; every call is in the queue."""
    program = str(FOLDER / "greenlet_program.py")
    way = ["-m", "gevent.monkey", program] if patched == "early" else [program, "patch"]
    process = start(sys.executable, *way)
    eventually(lambda: said(tmp_path) or process.poll() is not None, "a program that waits")
    process.terminate()
    assert process.wait(PATIENCE) == -signal.SIGTERM, said(tmp_path)
    assert sorted(server.accepted_ids) == calls(tmp_path) != []
    # Patched late, the SDK's own thread says that it has ended badly.
    assert "arthur" not in said(tmp_path)
    assert patched == "late" or said(tmp_path) == "waits\n"


@pytest.mark.parametrize("delay", ["100", "3600000"])
def test_workers_of_gunicorn_with_gevent(
    server: FaultServer, start: Start, tmp_path: Path, delay: str
) -> None:
    """gunicorn patches each worker when everything is set up and has forked."""
    bind = f"127.0.0.1:{free_port()}"
    instrument = str(Path(sys.executable).with_name("opentelemetry-instrument"))
    options = ["gunicorn", "-k", "gevent", "-w", "2", "-b", bind, "greenlet_program:app"]
    extra = {"OTEL_TRACES_EXPORTER": "arthur", "OTEL_BSP_SCHEDULE_DELAY": delay, **AT_ONCE}
    process = start(instrument, sys.executable, "-m", *options, **extra)

    def is_answered() -> bool:
        assert process.poll() is None, said(tmp_path)
        try:
            return urllib.request.urlopen(f"http://{bind}/", timeout=PATIENCE).read() == b"answered"
        except OSError:
            return False

    for _ in range(CALLS):
        eventually(is_answered, "an answer")
    if delay == "100":
        assert server.wait_for(CALLS)
    process.terminate()
    assert process.wait(PATIENCE) == 0
    assert len(calls(tmp_path)) == CALLS
    assert sorted(server.accepted_ids) == calls(tmp_path), said(tmp_path)
    assert "otel-arthur" not in said(tmp_path)
