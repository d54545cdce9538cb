"""The core's tests on every other supported Python that this machine has."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from interpreters import ROOT, VERSIONS, environment, found

SUITES = ("tests/inference", "tests/genai", "tests/sdk", "tests/test_configuration.py")


@pytest.mark.slow
@pytest.mark.interpreters
@pytest.mark.parametrize("version", VERSIONS)
def test_the_core_on_another_python(version: str, tmp_path: Path) -> None:
    interpreters = found()
    if version not in interpreters:
        pytest.skip(f"Python {version} is the one that runs, or is not installed")
    if not (environment(version) / ".done").exists():
        pytest.skip("its environment is not made: python tests/provision.py")
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
