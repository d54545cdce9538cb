"""How many Collectors with the processor a load needs: the table of ``collector/SIZING.md``.

    python benchmarks/collector_sizing.py

Arithmetic on the costs that ``benchmarks/collector_processor.py`` measured; see there how.
"""

from __future__ import annotations

import math

COLLECTOR_SECONDS = 4.8e-6
"""CPU of the Collector for a span: received, batched, exported."""
CALL_SECONDS = 70e-6
"""CPU of the core for a call: read, into the spool, sent."""
CPUS = 4
"""Of one machine."""
BUSY = 0.6
"""How busy a part may be, so that there is room for a peak and for the loss of a machine."""
CALL_BYTES = 4096
"""Of an inference with its texts: yours may be ten times as much."""
OUTAGE_SECONDS = 3600
"""How long the spool must hold out while Arthur cannot be reached."""


def machines(spans: float, share: float) -> tuple[int, str]:
    """How many machines, and what asks for them. One core is one interpreter, which is one CPU at most."""
    calls = spans * share
    by_core = math.ceil(calls * CALL_SECONDS / BUSY)
    cpu = spans * COLLECTOR_SECONDS + calls * CALL_SECONDS
    by_cpu = math.ceil(cpu / (CPUS * BUSY))
    return max(by_core, by_cpu, 1), "the core" if by_core > by_cpu else "CPU"


def main() -> None:
    print("| spans a second | LLM | calls a second | machines | asked for by | spool of each | to Arthur |")
    print("|---|---|---|---|---|---|---|")
    for spans in (10_000, 100_000, 1_000_000):
        for share in (0.01, 0.05, 0.5):
            calls = spans * share
            count, reason = machines(spans, share)
            spool = calls * CALL_BYTES * OUTAGE_SECONDS / count / 2**30
            network = calls * CALL_BYTES * 8 / 1e6
            print(
                f"| {spans:,} | {share:.0%} | {calls:,.0f} | {count} | {reason} "
                f"| {spool:,.0f} GiB | {network:,.0f} Mbit/s |"
            )


if __name__ == "__main__":
    main()
