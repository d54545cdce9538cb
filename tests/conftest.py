"""What all tests share: no host's settings leak in, and the run says which tiers it covered."""

from __future__ import annotations

import itertools
import os
import signal
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.support.paths import ROOT

if TYPE_CHECKING:
    from otel_arthur.local.server import LocalArthur

settings.register_profile(
    "shared machine", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
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
    "process",
    "test_zero_code.py",
    "test_replay.py",
    "test_log_events.py",
}
"""Folders and files whose tests start, kill or wait for other processes: not in ``make test-fast``."""

UNMEASURED = {"setup", "ends", "faults", "examples", "demo"}
"""Folders whose tests start whole applications, or kill them: under coverage an application's imports take
half as long again. Commands and the collector are measured as processes too."""

_numbers = itertools.count()

LONGEST = {"python", "oldest"}
"""Tiers whose tests take minutes each: begun first, they leave no core idle at the end of the run."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    tiers = _tiers(config)
    for item in items:
        if SLOW.intersection(item.path.relative_to(ROOT).parts):
            item.add_marker(pytest.mark.slow)
        item.user_properties += [("tier", mark.name) for mark in item.iter_markers() if mark.name in tiers]
    items.sort(key=lambda item: LONGEST.isdisjoint(mark.name for mark in item.iter_markers()))


@pytest.fixture(autouse=True)
def _clean_environment(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> None:
    """No variable of the host, and no spool of the user, has a part in a test."""
    if UNMEASURED.intersection(request.path.relative_to(ROOT).parts):
        monkeypatch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
    for name in list(os.environ):
        if name.startswith(("OTEL_", "ARTHUR_", "OPENAI_", "TRACELOOP_", "OPENINFERENCE_", "LANGSMITH_")):
            monkeypatch.delenv(name)
    # A name of its own for each test. Few make the folder, and `tmp_path` would make thousands.
    folder = tmp_path_factory.getbasetemp() / f"spool-{next(_numbers)}"
    monkeypatch.setenv("OTEL_EXPORTER_ARTHUR_SPOOL_DIR", str(folder))


@pytest.fixture
def arthur() -> Iterator[LocalArthur]:
    from otel_arthur.local.server import LocalArthur
    from tests.support.servers.ports import free_port

    with LocalArthur(port=free_port()) as running:
        yield running


@pytest.fixture
def model_id(arthur: LocalArthur) -> str:
    """A model there, with all that the bridge can fill."""
    from tests.support.servers.account import onboarded

    return onboarded(arthur)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """One line per tier: how many of its tests ran; and why those that did not could not."""
    ran: Counter[str] = Counter()
    skipped: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for outcome in ("passed", "failed", "skipped"):
        for report in terminalreporter.stats.get(outcome, []):
            # A file that is skipped as a whole has none.
            tier = dict(getattr(report, "user_properties", ())).get("tier", "core")
            if outcome == "skipped":
                skipped[tier][str(report.longrepr[-1]).removeprefix("Skipped: ")] += 1
            elif report.when == "call":
                ran[tier] += 1
    terminalreporter.section("tiers")
    for tier in ("core", *_tiers(config)):
        terminalreporter.write_line(f"{tier}: {ran[tier]} ran, {skipped[tier].total()} skipped")
        for reason, count in skipped[tier].items():
            terminalreporter.write_line(f"    {count}: {reason}")


def _tiers(config: pytest.Config) -> list[str]:
    """The marks that pyproject.toml calls tiers."""
    marks = (line.partition(": ") for line in config.getini("markers"))
    return [name for name, _, text in marks if text.startswith("tier: ")]
