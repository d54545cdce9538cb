"""The core's tests on every other supported Python that this machine has."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.support.environments.interpreters import ROOT, environment, found

SUITES = (
    "tests/inference",
    "tests/genai",
    "tests/sdk/test_span_exporter.py",
    "tests/test_configuration.py",
)


@pytest.mark.slow
@pytest.mark.interpreters
@pytest.mark.parametrize("version", sorted(found()) or ["none"])
def test_the_core_on_another_python(version: str, tmp_path: Path) -> None:
    if version == "none":
        pytest.skip("no other supported Python is installed")
    if not (environment(version) / ".done").exists():
        pytest.skip("its environment is not made: make test")
    done = subprocess.run(
        [
            str(environment(version) / "bin" / "python"),
            "-m",
            "pytest",
            "-q",
            "-m",
            "not slow",
            "-p",
            "no:cacheprovider",
            f"--basetemp={tmp_path / 'base'}",
            *SUITES,
        ],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
