"""What takes too long for every run: hundreds of kills, a soak, the ends of processes on other Pythons.

    python -m tests.faults                            # `make faults`; writes docs/faults.md
    python -m tests.faults --rounds 10 --soak 240     # fewer kills, a shorter soak
    python -m tests.faults --only "disk is full"      # some checks; the page keeps the rows of the others

Each check is a command with an exit code. The page has the date, the command and how each one closed.
"""

from __future__ import annotations

import argparse
import sys
from functools import partial

from tests.support.checks import Check, machine, pytest, rows_of
from tests.support.environments import kafka
from tests.support.environments.tiers import missing, python_of
from tests.support.paths import ROOT

PAGE = ROOT / "docs" / "faults.md"
OLDEST, NEWEST = "3.10", ("3.14", "3.13", "3.12")
"""Python: of the newer ones the first that is here."""
RATE = 500
"""Spans a second of the soak."""
HEAD = """# Faults

What `make faults` found, on {machine}. The promises behind it: [the spool](spool.md).
A disk that fails takes no outcome either: so rows of applications that are killed on bad disks
are presented many times.

| date | check | command | result | seconds |
|---|---|---|---|---|
"""


def checks(rounds: int, soak_seconds: int) -> list[Check]:
    """All of them, the shortest first.

    Args:
        rounds: kills of the collector; of applications twice as many.
    """
    newest = next((version for version in NEWEST if not _lacks(version)), NEWEST[0])
    kills = ["-s", "-k", "many_times", "--timeout", "3600"]
    counted = {"KILL_ROUNDS": str(rounds)}
    faults = pytest("tests/delivery/faults/test_kills_and_faults.py", "tests/examples/test_pulled_plug.py")
    soak = ["benchmarks/soak.py", "--seconds", str(soak_seconds), "--rate", str(RATE), "--fault-every", "30"]
    engine = pytest("tests/delivery/faults", "-k", "engine", "--timeout", "600")
    applications = pytest("tests/delivery/faults/test_kills.py", *kills)
    on_bad_disks = pytest("tests/delivery/faults/test_kills_on_bad_disks.py", *kills)
    bad_rounds = max(rounds // 5, 1)
    collectors = pytest("tests/collector/service/test_kills.py", *kills)
    durable = "tests/collector/processor/test_kills.py::test_acknowledged_is_durable"
    kafka_kills = max(rounds // 5, 1)
    kafka_check = pytest("-s", "tests/collector/processor/faults_of_kafka.py", "--timeout", "7200")
    return [
        *(_ends(version) for version in (OLDEST, newest)),
        Check("Processes are killed while Arthur fails", faults),
        Check("Each fault of disks, TLS and processes on the way to the Engine", engine, {"FACES": "all"}),
        Check(f"{2 * rounds} applications are killed at random moments", applications, counted),
        Check(
            f"{6 * bad_rounds} applications are killed while the disk is full, hangs, or is held",
            on_bad_disks,
            {"KILL_ROUNDS": str(bad_rounds)},
        ),
        Check(f"A collector is killed {rounds} times at random moments", collectors, counted),
        *(
            Check(
                f"{who} killed {rounds} times under load",
                pytest(f"{durable}[{victim}]", "-s", "--timeout", "7200"),
                counted,
            )
            for victim, who in (
                ("collector", "A Collector is"),
                ("core", "A core is"),
                ("both", "A Collector and its core are"),
            )
        ),
        Check(
            f"Apache Kafka: {kafka_kills} members of a group are killed under load, the broker too",
            kafka_check,
            {"KILL_ROUNDS": str(kafka_kills)},
            kafka.provision,
        ),
        Check(f"{RATE * soak_seconds:,} spans with an outage of 3 seconds every 30", soak),
    ]


def _lacks(version: str) -> str:
    """Why this Python cannot be used, or an empty text."""
    return "" if _is_this(version) else missing(f"python({version})")


def _is_this(version: str) -> bool:
    return sys.version.startswith(f"{version}.")


def _ends(version: str) -> Check:
    python = sys.executable if _is_this(version) else str(python_of(f"python({version})"))
    return Check(
        f"Every end of a process on Python {version}",
        pytest("tests/process", "--timeout", "600"),
        {"ENDS_PYTHON": python},
        partial(_lacks, version),
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="Hundreds of kills, a soak, and ends on other Pythons.")
    parser.add_argument(
        "--rounds", type=int, default=150, help="kills of the collector; twice of applications"
    )
    parser.add_argument("--soak", type=int, default=300, help="seconds, 240 at least")
    parser.add_argument("--only", default="", help="a part of the name of the checks to run")
    options = parser.parse_args()
    chosen = [check for check in checks(options.rounds, options.soak) if options.only in check.says]
    rows, failed = rows_of(chosen)
    if options.only:
        old = PAGE.read_text().splitlines(keepends=True)
        names = {check.says for check in chosen}
        page = [line for line in old if not names.intersection(line.split(" | "))]
        PAGE.write_text("".join([*page, *rows]))
    else:
        PAGE.write_text(HEAD.format(machine=machine()) + "".join(rows))
    return failed


if __name__ == "__main__":
    sys.exit(main())
