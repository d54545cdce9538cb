"""CPU per span of the whole path, finished span to accepted row, beside `OTLPSpanExporter` over HTTP.

    python benchmarks/path_cost.py            # needs opentelemetry-exporter-otlp-proto-http
    python benchmarks/path_cost.py --dialect langchain --dialect openinference
    python benchmarks/path_cost.py --thread   # as in life: `export()` on a thread of its own
    python benchmarks/path_cost.py --profile

Both export the same spans in turn, in one run: absolute figures drift, their ratio hardly does. CPU is
all of this process's, all threads; the servers are in another.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import os
import pstats
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from sink import Sink
from spans import DIALECTS, finished

from otel_arthur.sdk.span_exporter import ArthurSpanExporter

BATCH = 512


def measured(export: Callable[[Sequence[ReadableSpan]], object], spans: Sequence[ReadableSpan]) -> float:
    """Microseconds of CPU per span. The garbage collector has done with the making of the spans before."""
    gc.collect()
    began = time.process_time()
    export(spans)
    return (time.process_time() - began) / len(spans) * 1e6


def in_batches(export: Callable[[Sequence[ReadableSpan]], object], spans: Sequence[ReadableSpan]) -> None:
    for start in range(0, len(spans), BATCH):
        export(spans[start : start + BATCH])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--batches", type=int, default=8)
    parser.add_argument("--window", default="10", help="the duplicate window in seconds")
    parser.add_argument("--dialect", action="append", choices=DIALECTS, help="by default each of them")
    parser.add_argument("--thread", action="store_true", help="export on a thread that is not the main one")
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    for dialect in options.dialect or DIALECTS:
        if options.thread:
            with ThreadPoolExecutor(1) as processor:
                processor.submit(compare, dialect, options).result()
        else:
            compare(dialect, options)


def compare(dialect: str, options: argparse.Namespace) -> None:
    """Both exporters on the spans of one dialect."""
    with Sink() as sink, tempfile.TemporaryDirectory() as folder:
        otlp = OTLPSpanExporter(endpoint=f"{sink.url}/v1/traces")
        os.environ["OTEL_EXPORTER_ARTHUR_DUPLICATE_WINDOW"] = options.window
        arthur = ArthurSpanExporter(endpoint=sink.url, api_key="k", model_id="bench", spool_dir=folder)

        def to_arthur(spans: Sequence[ReadableSpan]) -> None:
            in_batches(arthur.export, spans)
            assert arthur.force_flush(60_000)

        to_arthur(finished(BATCH, dialect))
        in_batches(otlp.export, finished(BATCH, dialect))
        ours: list[float] = []
        theirs: list[float] = []
        profiles: list[cProfile.Profile] = []
        for _ in range(options.rounds):
            spans = finished(BATCH * options.batches, dialect)
            theirs.append(measured(lambda batch: in_batches(otlp.export, batch), spans))
            ours.append(measured(to_arthur, spans))
        if options.profile:
            spans = finished(BATCH * options.batches, dialect)
            profiles = _profiled(lambda: to_arthur(spans))
        arthur.shutdown()
        ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
        print(
            f"{dialect:14s} OTLPSpanExporter {statistics.median(theirs):5.1f} us of CPU per span, "
            f"ArthurSpanExporter {statistics.median(ours):5.1f} us, "
            f"ratio {statistics.median(ratios):.2f} (of the least {min(ours) / min(theirs):.2f})"
        )
        for profile in profiles:
            pstats.Stats(profile).sort_stats("tottime").print_stats(35)


def _profiled(work: Callable[[], None]) -> list[cProfile.Profile]:
    """A profile of the caller's thread: reading, building, appending. The sender's part is the rest."""
    profile = cProfile.Profile()
    profile.runcall(work)
    return [profile]


if __name__ == "__main__":
    main()
