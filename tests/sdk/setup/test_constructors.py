"""What raises into the application, in a constructor or later, costs all its telemetry: nothing does."""

from __future__ import annotations

import logging
import os
import sys
from pathlib import Path

import pytest

from otel_arthur import ArthurSpanExporter
from otel_arthur.delivery.workers import Workers
from tests.support.paths import ROOT
from tests.support.processes.running import finished
from tests.support.servers.ports import free_port

BUILT = """
import importlib.metadata, os, sys
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from otel_arthur import ArthurLogExporter, ArthurSpanExporter
if sys.argv[1] == "version":
    def broken(name):
        raise KeyError("Version")
    importlib.metadata.version = broken
if sys.argv[1] == "nobody":
    # No name and no home: a user id that no file knows, as containers have.
    os.setgid(54321)
    os.setuid(54321)
if sys.argv[1] == "gone":
    os.mkdir("folder")
    os.chdir("folder")
    os.rmdir("../folder")
exporter = ArthurSpanExporter()
ArthurLogExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(exporter))
with provider.get_tracer("t").start_as_current_span("chat gpt-4o") as span:
    span.set_attribute("gen_ai.operation.name", "chat")
print(exporter._bridge.delivery._spool.folder)
provider.shutdown()
"""


@pytest.mark.parametrize("cause", ["version", "nobody", "gone"])
def test_no_cause_makes_a_constructor_raise(tmp_path: Path, cause: str) -> None:
    if cause == "nobody" and os.geteuid() != 0:
        pytest.skip("another user needs the superuser")
    if cause == "nobody" and not all(folder.stat().st_mode & 0o001 for folder in (ROOT, *ROOT.parents)):
        pytest.skip("another user cannot read this checkout")
    tmp_path.chmod(0o755)
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("HOME", "XDG_", "COV"))},
        "PYTHONPATH": str(ROOT),
        "OTEL_EXPORTER_ARTHUR_ENDPOINT": "http://127.0.0.1:1",
        "OTEL_EXPORTER_ARTHUR_API_KEY": "k",
        "OTEL_EXPORTER_ARTHUR_MODEL_ID": "m",
    }
    if cause == "nobody":
        del environ["OTEL_EXPORTER_ARTHUR_SPOOL_DIR"]
    else:
        environ["OTEL_EXPORTER_ARTHUR_SPOOL_DIR"] = "relative" if cause == "gone" else str(tmp_path / "spool")
    done = finished([sys.executable, "-c", BUILT, cause], env=environ, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    if cause == "nobody":
        assert done.stdout.strip().endswith("otel-arthur-54321")
        assert Path(done.stdout.strip()).is_absolute()


def test_no_fault_inside_comes_out_of_a_flush_or_a_shutdown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A fault that nobody knows yet, put where the last one was: into the end of the sending."""
    exporter = ArthurSpanExporter(
        endpoint=f"http://127.0.0.1:{free_port()}", api_key="k", model_id="m", spool_dir=tmp_path / "spool"
    )

    def fails(*_: object, **__: object) -> bool:
        raise KeyError(3)

    with caplog.at_level(logging.WARNING, "otel_arthur"), monkeypatch.context() as patched:
        patched.setattr(Workers, "flush", fails)
        assert not exporter.force_flush()
        exporter.shutdown()
    assert "a flush ended early (KeyError)" in caplog.text
    assert "the shutdown ended early (KeyError)" in caplog.text
