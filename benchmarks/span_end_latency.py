"""What `span.end()` costs the application while Arthur hangs, beside the same without us.

python benchmarks/span_end_latency.py [--spans 5000]
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from sink import Sink
from spans import write

from otel_arthur.sdk.span_exporter import ArthurSpanExporter


class Nothing(SpanExporter):
    """An exporter that does nothing: the processor's own cost."""

    def export(self, spans: object) -> SpanExportResult:
        return SpanExportResult.SUCCESS


def slowest(exporter: SpanExporter, count: int) -> tuple[list[float], float]:
    """Microseconds of each span from start to end, sorted; and seconds of the shutdown."""
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=200))
    tracer = provider.get_tracer("opentelemetry.instrumentation.openai_v2")
    times: list[float] = []
    for number in range(count):
        began = time.perf_counter()
        write(tracer, number)
        times.append((time.perf_counter() - began) * 1e6)
        time.sleep(0.0005)
    began = time.perf_counter()
    provider.shutdown()
    return sorted(times), time.perf_counter() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--spans", type=int, default=3000)
    count = parser.parse_args().spans
    os.environ["OTEL_EXPORTER_ARTHUR_DUPLICATE_WINDOW"] = "0"
    with Sink(hangs=True) as sink, tempfile.TemporaryDirectory() as folder:
        arthur = ArthurSpanExporter(
            endpoint=sink.url, api_key="k", model_id="bench", spool_dir=folder, timeout=5
        )
        for name, exporter in (("without us", Nothing()), ("Arthur hangs", arthur)):
            times, shutdown = slowest(exporter, count)
            median, high = times[len(times) // 2], times[int(len(times) * 0.99)]
            print(
                f"{name:13} median {median:7.1f} us, 99 % {high:7.1f} us, slowest {times[-1]:8.1f} us; "
                f"shutdown {shutdown:.2f} s"
            )


if __name__ == "__main__":
    main()
