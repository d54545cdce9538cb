"""CPU per span on the way to the Arthur Engine, beside the way to the v3 API, in one run.

    python benchmarks/engine_cost.py

From the finished span to the row that the target accepted. CPU is all of this process's, all threads; the
servers are in another. Spans that are no calls are kept for their traces where the target is the Engine.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from opentelemetry.sdk.trace import ReadableSpan
from path_cost import BATCH, in_batches, measured
from reading_cost import ordinary
from sink import Sink
from spans import finished

from otel_arthur.sdk.span_exporter import ArthurSpanExporter


def sent(exporter: ArthurSpanExporter) -> Callable[[Sequence[ReadableSpan]], None]:
    def send(spans: Sequence[ReadableSpan]) -> None:
        in_batches(exporter.export, spans)
        assert exporter.force_flush(120_000)

    return send


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--batches", type=int, default=6)
    options = parser.parse_args()
    with Sink() as sink, tempfile.TemporaryDirectory() as folder:
        ways = {
            "v3": sent(
                ArthurSpanExporter(
                    endpoint=sink.url, api_key="k", model_id="bench", spool_dir=Path(folder) / "v3"
                )
            ),
            "Engine": sent(
                ArthurSpanExporter(
                    engine_endpoint=sink.url, engine_api_key="k", spool_dir=Path(folder) / "engine"
                )
            ),
        }
        figures: dict[tuple[str, str], list[float]] = {}
        for send in ways.values():
            send(finished(BATCH))
        for _ in range(options.rounds):
            calls, others = finished(BATCH * options.batches), ordinary(BATCH * options.batches)
            for name, send in ways.items():
                figures.setdefault((name, "an LLM span"), []).append(measured(send, calls))
                figures.setdefault((name, "any other span"), []).append(measured(send, others))
        for (name, what), values in sorted(figures.items(), key=lambda one: one[0][::-1]):
            print(f"{what:15} {name:7} {statistics.median(values):6.1f} us of CPU")


if __name__ == "__main__":
    main()
