"""Arthur's own SDK, unchanged: it works against local Arthur, puts on the wire what our client does, and an
exporter sends through its live models. Parquet too, for pyarrow comes with it.
"""

from __future__ import annotations

import pytest

from tests.support.environments.tiers import needs, python_of
from tests.support.paths import ROOT, TESTS
from tests.support.processes.running import finished

pytestmark = needs("arthurai")


def run(*arguments: str) -> str:
    done = finished([str(python_of("arthurai")), *arguments], cwd=ROOT)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done.stdout


@pytest.mark.parametrize("script", ["sdk_flow", "sdk_wire", "sdk_live_model"])
def test_every_step(script: str) -> None:
    steps = [line for line in run("-m", f"tests.arthurai.{script}").splitlines() if line.startswith("ok ")]
    # As many as the script has: one that leaves early must not count as well.
    assert len(steps) == (TESTS / "arthurai" / f"{script}.py").read_text(encoding="utf-8").count("    step(")


def test_parquet_uploads() -> None:
    test = "tests/local/test_bulk.py::test_parquet"
    assert "1 passed" in run("-m", "pytest", "-q", "-p", "no:cacheprovider", test)
