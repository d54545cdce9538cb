"""What all tests share: no host's settings leak in, and the run says which tiers it covered."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support.paths import CACHE, ROOT

TIERS = CACHE / "tiers.json"
"""What `make test` found: tier -> why it cannot run here, or an empty text."""

settings.register_profile("shared machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared machine")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell's background job, as some services of continuous integration run: what is ignored here, the
    # processes under test would ignore too, and none of them could be interrupted.
    signal.signal(signal.SIGINT, signal.default_int_handler)

SLOW = {
    "collector",
    "delivery",
    "demo",
    "examples",
    "test_zero_code.py",
    "test_replay.py",
    "test_log_events.py",
}
"""Folders and files whose tests start, kill or wait for other processes: not in ``make test-fast``."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if SLOW.intersection(item.path.relative_to(ROOT).parts):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable of the host, and no spool of the user, has a part in a test."""
    for name in list(os.environ):
        if name.startswith(("OTEL_", "ARTHUR_", "OPENAI_", "TRACELOOP_", "OPENINFERENCE_", "LANGSMITH_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("OTEL_EXPORTER_ARTHUR_SPOOL_DIR", str(tmp_path / "spool"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line per tier: how many of its tests ran, and why those that did not could not."""
    names = _tiers()
    ran: Counter[str] = Counter()
    skipped: Counter[str] = Counter()
    for outcome, counts in (("passed", ran), ("failed", ran), ("skipped", skipped)):
        for report in terminalreporter.stats.get(outcome, []):
            if outcome == "skipped" or report.when == "call":
                counts[_tier_of(report, names)] += 1
    terminalreporter.section("tiers")
    for tier in ("core", *names):
        reason = names.get(tier, "")
        line = f"{tier}: {ran[tier]} ran"
        if skipped[tier]:
            line += f", {skipped[tier]} skipped"
        terminalreporter.write_line(line + (f" ({reason})" if reason else ""))


def _tiers() -> dict[str, str]:
    try:
        return json.loads(TIERS.read_text())
    except (OSError, ValueError):
        return {}


def _tier_of(report: pytest.TestReport, names: dict[str, str]) -> str:
    return next((tier for tier in names if tier in report.keywords), "core")
