"""The core's tests on every other Python of this machine, and with the oldest dependencies that we allow."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from noxfile import TESTED
from tests.support.environments.tiers import needs
from tests.support.paths import ROOT
from tests.support.processes.running import finished

SESSIONS = [
    *(pytest.param(f"python({version})", marks=needs(f"python({version})", "python")) for version in TESTED),
    pytest.param("oldest", marks=needs("oldest")),
]

SECONDS = 1200.0
"""For all of the core's tests, one after another, on a busy machine."""


@pytest.mark.timeout(2 * SECONDS)
@pytest.mark.parametrize("session", SESSIONS)
def test_the_core_in_another_environment(session: str, tmp_path: Path) -> None:
    done = finished(
        [sys.executable, "-m", "nox", "-R", "-s", session, "--", f"--basetemp={tmp_path / 'base'}"],
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
        cwd=ROOT,
        seconds=SECONDS,
    )

    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
