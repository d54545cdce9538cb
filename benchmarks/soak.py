"""Hours of traffic in minutes: memory must stay flat, the books must balance, the spool must end empty.

python benchmarks/soak.py --seconds 600 [--rate 2000]
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from sink import Sink
from spans import write

from otel_arthur.sdk.span_exporter import ArthurSpanExporter


def resident_megabytes() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1024**2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--rate", type=int, default=500, help="spans a second")
    options = parser.parse_args()
    with Sink() as sink, tempfile.TemporaryDirectory() as folder:
        exporter = ArthurSpanExporter(endpoint=sink.url, api_key="k", model_id="bench", spool_dir=folder)
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=20_000))
        tracer = provider.get_tracer("opentelemetry.instrumentation.openai_v2")
        began, written, shown = time.monotonic(), 0, 0.0
        while (passed := time.monotonic() - began) < options.seconds:
            while written < passed * options.rate:
                write(tracer, written)
                written += 1
            if passed - shown >= options.seconds / 12:
                shown = passed
                counts = exporter._bridge.delivery.counts()
                print(
                    f"{passed:6.0f} s  {resident_megabytes():6.1f} MB  sent {counts.sent}  left {counts.left}"
                )
            time.sleep(0.01)
        provider.force_flush(30_000)
        counts = exporter._bridge.delivery.counts()
        provider.shutdown()
        print(
            f"{written} spans written, {counts.sent} sent, {counts.left} left, {resident_megabytes():.1f} MB"
        )


if __name__ == "__main__":
    main()
