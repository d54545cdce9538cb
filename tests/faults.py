"""What takes too long for every run: hundreds of kills, a soak, the ends of processes on other Pythons.

    python -m tests.faults      # `make faults`: about half an hour; writes docs/faults.md

Each check is a command with an exit code. The page has the date, the command and how each one closed.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from dataclasses import dataclass, field
from datetime import date

from tests.support.environments.tiers import missing, python_of
from tests.support.paths import ROOT

PAGE = ROOT / "docs" / "faults.md"
ROUNDS = 150
"""Of two processes each, killed at a random moment."""
OLDEST, NEWEST = "3.10", "3.14"
HEAD = """# Faults

What `make faults` found, on {machine} with Python {python}. The promises behind it: [the spool](spool.md).

| date | check | command | result | seconds |
|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Check:
    """One command that ends with 0 where what `says` holds."""

    says: str
    command: list[str]
    variables: dict[str, str] = field(default_factory=dict[str, str])
    lacks: str = ""
    """Why it cannot run here."""


def pytest(*arguments: str) -> list[str]:
    return ["-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]


def checks() -> list[Check]:
    """All of them, the shortest first."""
    kills = pytest("tests/delivery/test_kills.py", "-k", "many_times", "--timeout", "3600")
    faults = pytest("tests/delivery/test_kills_and_faults.py", "tests/examples/test_pulled_plug.py")
    soak = ["benchmarks/soak.py", "--seconds", "900", "--rate", "500", "--fault-every", "30"]
    return [
        *(_ends(version) for version in (OLDEST, NEWEST)),
        Check("Processes are killed while Arthur fails", faults),
        Check(f"{2 * ROUNDS} processes are killed at random moments", kills, {"KILL_ROUNDS": str(ROUNDS)}),
        Check("450,000 spans with an outage of 3 seconds every 30", soak),
    ]


def _ends(version: str) -> Check:
    session = f"python({version})"
    is_this = sys.version.startswith(f"{version}.")
    return Check(
        f"Every end of a process on Python {version}",
        pytest("tests/process/test_ends.py"),
        {"ENDS_PYTHON": sys.executable if is_this else str(python_of(session))},
        "" if is_this else missing(session),
    )


def main() -> int:
    rows: list[str] = []
    failed = False
    for check in checks():
        command = " ".join([*(f"{k}={v}" for k, v in check.variables.items()), "python", *check.command])
        command = command.replace(f"{ROOT}/", "")
        print(f"== {check.says}: {check.lacks or command}", flush=True)
        began = time.monotonic()
        result = "not run: " + check.lacks if check.lacks else _closing_line(check)
        failed = failed or result.startswith("FAILED")
        seconds = "" if check.lacks else f"{time.monotonic() - began:.0f}"
        rows.append(f"| {date.today()} | {check.says} | `{command}` | {result} | {seconds} |\n")
    machine = f"{os.cpu_count()} cores of {platform.machine()}, {platform.system()}"
    PAGE.write_text(HEAD.format(machine=machine, python=platform.python_version()) + "".join(rows))
    return failed


def _closing_line(check: Check) -> str:
    """Runs the command, printing what it prints; its last line, after FAILED where it ended so."""
    last = ""
    environ = {**os.environ, **check.variables}
    with subprocess.Popen(
        [sys.executable, *check.command], cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        for line in child.stdout:
            print(line, end="", flush=True)
            last = line.strip().strip("=").strip() or last
    return f"FAILED: {last}" if child.returncode else last.replace("|", "/")


if __name__ == "__main__":
    sys.exit(main())
