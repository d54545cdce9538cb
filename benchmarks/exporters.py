"""CPU per LLM span of exporters side by side, in one run and on the same spans.

    python benchmarks/exporters.py                        # by the conventions, 2.6 kB, 512 a batch
    python benchmarks/exporters.py --dialect openinference --text 10000 --batch 128
    python benchmarks/exporters.py --told-twice           # two instrumentations of the same calls

`export()` runs on a thread of its own, as a processor's does. CPU is all of this process's, until each span
is accepted; the servers are in another. Each round has its own spans, which the exporters take in turn, so
that a machine's noise is shared; said are the median and the quartiles of the rounds, and the median of the
rounds' ratios to OTLP over HTTP.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from opentelemetry.exporter.otlp.proto.http import Compression
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from sink import GRPCSink, Sink
from spans import DIALECTS, TEXT, Spans

from otel_arthur.sdk.span_exporter import ArthurSpanExporter

OURS, OTLP = "Arthur", "OTLP over HTTP"
Export = Callable[[Sequence[ReadableSpan]], Any]


def measured(export: Callable[[], object], count: int) -> float:
    """Microseconds of CPU per span, of the whole process; on a thread of its own."""
    gc.collect()
    thread = threading.Thread(target=export)
    began = time.process_time()
    thread.start()
    thread.join()
    return (time.process_time() - began) / count * 1e6


def exporters(url: str, grpc: str, folder: str, names: Sequence[str]) -> dict[str, Any]:
    """Name -> exporter."""
    traces = f"{url}/v1/traces"
    made: dict[str, Callable[[], Any]] = {
        OTLP: lambda: OTLPSpanExporter(endpoint=traces),
        "OTLP over HTTP, gzip": lambda: OTLPSpanExporter(endpoint=traces, compression=Compression.Gzip),
        "OTLP over gRPC": lambda: _grpc(grpc),
        OURS: lambda: ArthurSpanExporter(endpoint=url, api_key="k", model_id="bench", spool_dir=folder),
    }
    return {name: made[name]() for name in names}


def _grpc(address: str) -> Any:
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter as Exporter

    return Exporter(endpoint=address, insecure=True)


def costs(options: argparse.Namespace) -> dict[str, list[float]]:
    """Name -> microseconds of each round."""
    spans = Spans()

    def made(count: int) -> Sequence[ReadableSpan]:
        if options.told_twice:
            return spans.told_twice(count)
        return spans.made(count, options.dialect, options.text)

    os.environ["OTEL_EXPORTER_ARTHUR_DUPLICATE_WINDOW"] = options.window
    found: dict[str, list[float]] = {name: [] for name in options.exporter}
    with Sink() as sink, GRPCSink() as grpc, tempfile.TemporaryDirectory() as folder:
        ways = exporters(sink.url, grpc.address, folder, options.exporter)

        def send(name: str, batch: Sequence[ReadableSpan]) -> None:
            for start in range(0, len(batch), options.batch):
                ways[name].export(batch[start : start + options.batch])
            assert name != OURS or ways[name].force_flush(120_000)

        for name in ways:
            send(name, made(options.batch))
        for _ in range(options.rounds):
            batch = made(options.spans)
            for name in ways:
                found[name].append(measured(lambda name=name, batch=batch: send(name, batch), len(batch)))
        for way in ways.values():
            way.shutdown()
    return found


def summary(values: Sequence[float], other: Sequence[float]) -> dict[str, float]:
    low, middle, high = statistics.quantiles(values, n=4)
    ratios = [value / beside for value, beside in zip(values, other, strict=True)]
    return {
        "median": middle,
        "low": low,
        "high": high,
        "ratio": statistics.median(ratios),
        "first": values[0],
        "last": values[-1],
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--spans", type=int, default=4096, help="in a round")
    parser.add_argument("--batch", type=int, default=512)
    parser.add_argument("--dialect", choices=list(DIALECTS), default="conventions")
    parser.add_argument("--text", type=int, default=TEXT, help="characters of question and answer")
    parser.add_argument("--told-twice", action="store_true")
    parser.add_argument("--window", default="10", help="the duplicate window in seconds")
    parser.add_argument("--exporter", nargs="*", default=[OTLP, OURS], help="also gzip and gRPC")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    found = costs(options)
    beside = found.get(OTLP) or next(iter(found.values()))
    summaries = {name: summary(values, beside) for name, values in found.items()}
    if options.json:
        print(json.dumps(summaries))
        return
    for name, one in summaries.items():
        print(
            f"{name:22s}{one['median']:8.1f} us of CPU per span ({one['low']:.1f} to {one['high']:.1f}), "
            f"{one['ratio']:.2f} of OTLP"
        )


if __name__ == "__main__":
    main()
