"""Checks that are too heavy for each run: commands with an exit code, and a page with the date of each."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

from tests.support.paths import ROOT


@dataclass(frozen=True)
class Check:
    """One command that ends with 0 where what `says` holds."""

    says: str
    command: list[str]
    """For this Python."""
    variables: dict[str, str] = field(default_factory=dict[str, str])
    lacks: Callable[[], str] = str
    """Why it cannot run here, or an empty text; makes what it needs."""


def pytest(*arguments: str) -> list[str]:
    """The command of a run of some tests."""
    return ["-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]


def rows_of(checks: Sequence[Check]) -> tuple[list[str], bool]:
    """Run the checks; returns a row of a table for each, and whether one failed.

    The columns: date, check, command, result, seconds.
    """
    rows: list[str] = []
    failed = False
    for check in checks:
        command = " ".join([*(f"{k}={v}" for k, v in check.variables.items()), "python", *check.command])
        command = command.replace(f"{ROOT}/", "")
        lacks = check.lacks()
        print(f"== {check.says}: {lacks or command}", flush=True)
        began = time.monotonic()
        result = f"not run: {lacks}" if lacks else _closing_line(check)
        failed = failed or result.startswith("FAILED")
        seconds = "" if lacks else f"{time.monotonic() - began:.0f}"
        rows.append(f"| {date.today()} | {check.says} | `{command}` | {result} | {seconds} |\n")
    return rows, failed


def machine() -> str:
    """As in "2 cores of x86_64, Linux with Python 3.11.7"."""
    where = f"{os.cpu_count()} cores of {platform.machine()}, {platform.system()}"
    return f"{where} with Python {platform.python_version()}"


def _closing_line(check: Check) -> str:
    """Runs the command, printing what it prints; its figures and last line, after FAILED if it did."""
    last = ""
    figures: list[str] = []
    environ = {**os.environ, **check.variables}
    with subprocess.Popen(
        [sys.executable, *check.command], cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        for line in child.stdout:
            print(line, end="", flush=True)
            last = line.strip().strip("=").strip() or last
            figures += filter(None, [line.partition("figures: ")[2].strip()])
    told = "; ".join(filter(None, (*figures, last))).replace("|", "/")
    return f"FAILED: {told}" if child.returncode else told
