"""What `span.end()` costs the application while Arthur hangs, beside the same without us.

    python benchmarks/span_end_latency.py [--rounds 10] [--spans 1500] [--pause 0.0005]

Each round is a process of its own, so that a first export, with all that it imports, is in each; the
three kinds take turns, so that the machine's noise is shared. Nothing is left out of the times.
``--pause 0`` is an application that never waits for anything: then every thread more, ours or any
exporter's, takes the interpreter's lock in turns of 5 ms, and a full garbage collection, in whichever
thread, takes the longer the more modules are loaded. The OTLP exporter, to the same server, is there
to show how much of that is ours.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Any

from opentelemetry.sdk.trace import Span, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from sink import Sink
from spans import write

KINDS = ("without us", "Arthur hangs", "OTLP")


class Nothing(SpanExporter):
    """An exporter that does nothing: the processor's own cost."""

    def export(self, spans: object) -> SpanExportResult:
        return SpanExportResult.SUCCESS


def exporter_of(kind: str, url: str, folder: str) -> SpanExporter:
    if kind == "Arthur hangs":
        from otel_arthur.sdk.span_exporter import ArthurSpanExporter

        return ArthurSpanExporter(endpoint=url, api_key="k", model_id="bench", spool_dir=folder, timeout=5)
    if kind == "OTLP":
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        return OTLPSpanExporter(endpoint=f"{url}/v1/traces")
    return Nothing()


def measure(kind: str, url: str, count: int, pause: float) -> dict[str, Any]:
    """One round; times in milliseconds."""
    ends: list[tuple[float, float]] = []
    collections: list[tuple[float, float]] = []
    end_span = Span.end

    def end(span: Span, *args: Any, **kwargs: Any) -> None:
        began = time.perf_counter()
        end_span(span, *args, **kwargs)
        ends.append((began, time.perf_counter()))

    def collected(phase: str, _info: dict[str, int]) -> None:
        if phase == "start":
            collections.append((time.perf_counter(), 0.0))
        else:
            collections[-1] = (collections[-1][0], time.perf_counter())

    Span.end = end  # type: ignore[method-assign]
    with tempfile.TemporaryDirectory() as folder:
        provider = TracerProvider(shutdown_on_exit=False)
        exporter = exporter_of(kind, url, folder)
        provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=200))
        tracer = provider.get_tracer("opentelemetry.instrumentation.openai_v2")
        gc.callbacks.append(collected)
        for number in range(count):
            write(tracer, number)
            if pause:
                time.sleep(pause)
        gc.callbacks.remove(collected)
        began = time.perf_counter()
        provider.shutdown()
        shutdown = time.perf_counter() - began
    times = sorted((stop - start) * 1e3 for start, stop in ends)
    start, stop = max(ends, key=lambda one: one[1] - one[0])
    return {
        "median": times[count // 2],
        "99 %": times[int(count * 0.99)],
        "slowest": times[-1],
        "collecting": any(a < stop and b > start for a, b in collections),
        "shutdown": shutdown,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--spans", type=int, default=1500, help="in each round")
    parser.add_argument("--pause", type=float, default=0.0005, help="seconds between spans")
    parser.add_argument("--one", nargs=2, metavar=("KIND", "URL"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(*options.one, options.spans, options.pause)), flush=True)
        # Not through the interpreter's end: what hangs was measured.
        os._exit(0)

    environ = {**os.environ, "OTEL_EXPORTER_ARTHUR_DUPLICATE_WINDOW": "0"}
    arguments = ["--spans", str(options.spans), "--pause", str(options.pause)]
    rounds: dict[str, list[dict[str, Any]]] = {kind: [] for kind in KINDS}
    with Sink(hangs=True) as sink:
        for _ in range(options.rounds):
            for kind in KINDS:
                command = [sys.executable, __file__, *arguments, "--one", kind, sink.url]
                done = subprocess.run(
                    command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True
                )
                rounds[kind].append(json.loads(done.stdout))
    print("span.end(), milliseconds; * where a garbage collection fell into the slowest")
    for kind, found in rounds.items():
        slowest = " ".join(f"{one['slowest']:.2f}{'*' if one['collecting'] else ''}" for one in found)
        median, high = (statistics.median(one[name] for one in found) for name in ("median", "99 %"))
        last = max(one["shutdown"] for one in found)
        print(f"{kind:13} median {median:.4f}, 99 % {high:.4f}, slowest of each round {slowest}")
        print(f"{'':13} shutdown {last:.2f} s at most")
    worst = {kind: statistics.median(one["slowest"] for one in found) for kind, found in rounds.items()}
    for kind in KINDS[1:]:
        difference = worst[kind] - worst[KINDS[0]]
        print(f"the slowest of a round, in the middle of all rounds: {kind} {difference:+.2f} ms beside none")


if __name__ == "__main__":
    main()
