"""A constructor that raises would leave the application without telemetry, whatever the cause."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT

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
    done = subprocess.run(
        [sys.executable, "-c", BUILT, cause],
        env=environ,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    if cause == "nobody":
        assert done.stdout.strip().endswith("otel-arthur-54321")
        assert Path(done.stdout.strip()).is_absolute()
