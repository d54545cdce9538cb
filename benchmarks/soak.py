"""Hours of traffic in minutes: memory must stay flat, the books must balance, the spool must end empty.

    python benchmarks/soak.py --seconds 900 [--rate 2000] [--fault-every 20]

Arthur fails now and then: every so many seconds it takes rows and loses the answer, or is not there for
three seconds. Exit 1 if the books do not balance, something is left, or threads or files grew after the
first quarter (three minutes at least), or memory by more than a tenth.
"""

from __future__ import annotations

import argparse
import logging
import os
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from sink import Sink
from spans import write

from otel_arthur.sdk.span_exporter import ArthurSpanExporter

WARM_UP_SECONDS = 180.0


def resident_megabytes() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024**2


@dataclass(frozen=True)
class State:
    megabytes: float
    threads: int
    files: int

    @classmethod
    def now(cls) -> State:
        return cls(resident_megabytes(), threading.active_count(), len(list(Path("/proc/self/fd").iterdir())))

    def __str__(self) -> str:
        return f"{self.megabytes:6.1f} MB, {self.threads} threads, {self.files} files"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rate", type=int, default=500, help="spans a second")
    parser.add_argument("--fault-every", type=float, default=20.0, help="seconds; 0 is never")
    options = parser.parse_args()
    logging.getLogger("otel_arthur").setLevel(logging.ERROR)
    with Sink(fails_every=options.fault_every) as sink, tempfile.TemporaryDirectory() as folder:
        exporter = ArthurSpanExporter(endpoint=sink.url, api_key="k", model_id="bench", spool_dir=folder)
        delivery = exporter._bridge.delivery
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=20_000))
        tracer = provider.get_tracer("opentelemetry.instrumentation.openai_v2")
        began, written, states = time.monotonic(), 0, []
        while (passed := time.monotonic() - began) < options.seconds:
            while written < passed * options.rate:
                write(tracer, written)
                written += 1
            if passed >= (len(states) + 1) * options.seconds / 20:
                states.append(State.now())
                counts = delivery.counts()
                bytes_used = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
                print(
                    f"{passed:6.0f} s  {states[-1]}, spool {bytes_used / 1e6:5.1f} MB, "
                    f"sent {counts.sent}, left {counts.left}",
                    flush=True,
                )
            time.sleep(0.01)
        provider.force_flush(30_000)
        while not exporter.force_flush(30_000):
            print(f"{delivery.counts().left} left", flush=True)
        counts, end = delivery.counts(), State.now()
        provider.shutdown()
    # What it remembers of the latest minutes fills up first.
    cold_seconds = max(options.seconds / 4, min(WARM_UP_SECONDS, options.seconds * 3 / 4))
    warm = states[int(cold_seconds / options.seconds * len(states)) :]
    print(f"{written} spans written, {counts.sent} sent, {counts.left} left; at the end {end}")
    print(f"after shutdown {State.now()}")
    problems = [
        text
        for text, is_so in (
            ("spans are missing", written != counts.received or written != counts.sent),
            ("memory grew", max(s.megabytes for s in warm) > 1.1 * warm[0].megabytes),
            ("threads grew", max(s.threads for s in warm) > warm[0].threads + 2),
            ("files grew", max(s.files for s in warm) > warm[0].files + 5),
        )
        if is_so
    ]
    print(", ".join(problems) or "flat, and the books balance")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
