"""How many Collectors with the processor a load needs: the table of ``collector/SIZING.md``.

    python benchmarks/collector/sizing.py                # the table
    python benchmarks/collector/sizing.py --check        # the model beside what this machine does, in one run

The model is discrete: in steps of a tenth of a second spans arrive, the Collector passes them on, and the
core takes the calls in groups. Each has so much CPU in a step, and what it does not get to waits. The costs
are those that ``--check`` measured; put your own there.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from dataclasses import dataclass
from pathlib import Path

STEP_SECONDS = 0.1
MAX_MACHINES = 1000


@dataclass(frozen=True)
class Costs:
    """CPU seconds."""

    span: float = 5.0e-6
    """Of the Collector for any span: received, batched, exported."""
    call: float = 3e-6
    """Of the Collector for a call more: packed and handed over."""
    read: float = 32e-6
    """Of the core for a call: read, into the spool, sent."""
    group: float = 7.4e-3
    """Of both for a group of exports that is handed over: a request, an append."""


@dataclass(frozen=True)
class Machine:
    cpus: int = 4
    busy: float = 0.6
    """How busy a part may be, so that there is room for a peak and for the loss of a machine."""
    group_seconds: float = 0.02
    """Groups are no closer together, while there is time."""
    group_bytes: float = 2**20
    """No group is larger, however busy the core is."""


@dataclass(frozen=True)
class Outcome:
    cpu_a_span: float
    """Seconds of both processes."""
    core: float
    """How busy the core must be, which is one interpreter, so one CPU at most. Groups that are smaller than
    they could be do not count: it makes them when it has time."""
    machine: float
    """How busy the machine is."""
    waiting: float
    """Calls that wait for the core at the end."""


CALL_BYTES = 4096
"""Of an inference with its texts: yours may be ten times as much."""
OUTAGE_SECONDS = 3600
"""How long the spool must hold out while Arthur cannot be reached."""


def simulated(spans: float, share: float, costs: Costs, machine: Machine, seconds: float = 60.0) -> Outcome:
    """One machine under so many spans a second."""
    waiting_spans = waiting_calls = 0.0
    collector = core = idle_groups = taken = 0.0
    for _ in range(round(seconds / STEP_SECONDS)):
        waiting_spans += spans * STEP_SECONDS
        # The core has its turn first: it is one thread, the Collector takes what is left of the machine.
        a_call = costs.read + costs.group * CALL_BYTES / machine.group_bytes
        read = min(waiting_calls, STEP_SECONDS / a_call)
        more = min(STEP_SECONDS / machine.group_seconds, read) - read * CALL_BYTES / machine.group_bytes
        spare = max(min(more * costs.group, STEP_SECONDS - read * a_call), 0.0)
        waiting_calls -= read
        core += read * a_call
        idle_groups += spare
        each = costs.span + share * costs.call
        passed = min(waiting_spans, (machine.cpus * STEP_SECONDS - read * a_call - spare) / each)
        waiting_spans -= passed
        waiting_calls += passed * share
        collector += passed * each
        taken += passed
    return Outcome(
        (collector + core + idle_groups) / taken,
        core / seconds,
        (collector + core) / seconds / machine.cpus,
        waiting_calls + waiting_spans * share,
    )


def machines(spans: float, share: float, costs: Costs, machine: Machine) -> tuple[int, str]:
    """How many machines keep up, no part busier than it may be, and what asks for them."""
    low, high = 1, MAX_MACHINES
    while low < high:
        middle = (low + high) // 2
        outcome = simulated(spans / middle, share, costs, machine)
        if max(outcome.core, outcome.machine) <= machine.busy:
            high = middle
        else:
            low = middle + 1
    outcome = simulated(spans / low, share, costs, machine)
    return low, "the core" if outcome.core > outcome.machine else "the Collector's CPU"


def table() -> None:
    costs, machine = Costs(), Machine()
    print("| spans a second | LLM | calls a second | machines | busiest | disk of each | to Arthur |")
    print("|---|---|---|---|---|---|---|")
    for spans in (10_000, 100_000, 1_000_000):
        for share in (0.01, 0.05, 0.5):
            calls = spans * share
            count, reason = machines(spans, share, costs, machine)
            disk = calls * CALL_BYTES * OUTAGE_SECONDS / count / 2**30
            network = calls * CALL_BYTES * 8 / 1e6
            print(
                f"| {spans:,} | {share:.0%} | {calls:,.0f} | {count} | {reason} "
                f"| {disk:,.0f} GiB | {network:,.0f} Mbit/s |"
            )


def check(requests: int, rounds: int) -> None:
    """Fits the costs to two loads of `processor.py`, and foretells a third one."""
    from processor import measured

    with tempfile.TemporaryDirectory() as folder:

        def median(llm: int) -> float:
            count = requests if llm == 100 else 4 * requests
            at = (Path(folder) / f"{llm}-{number}" for number in range(rounds))
            return statistics.median(measured("processor", llm, count, one) for one in at) / 1e6

        none, some, half, everything = (median(llm) for llm in (0, 5, 50, 100))
    # Eight senders of 100 spans are one group of 800, of which so many are calls.
    read = (everything - some) / 0.95
    group = 800 * (some - none - 0.05 * read)
    slow = Machine(cpus=8, group_seconds=0.1, group_bytes=2**30)
    foretold = simulated(8000, 0.5, Costs(none, 0.0, read, group), slow).cpu_a_span
    print(f"a span {none * 1e6:.1f} µs, a call {read * 1e6:.1f} µs more, a group {group * 1e3:.1f} ms")
    print(f"half of the spans calls: {foretold * 1e6:.1f} µs a span foretold, {half * 1e6:.1f} measured")


def main() -> None:
    parser = argparse.ArgumentParser(description="Sizes of Collectors with the processor.")
    parser.add_argument("--check", action="store_true", help="measure, and compare with the model")
    parser.add_argument("--requests", type=int, default=80)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    if options.check:
        check(options.requests, options.rounds)
    else:
        table()


if __name__ == "__main__":
    main()
