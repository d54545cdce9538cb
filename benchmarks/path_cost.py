"""CPU per span of the whole path, finished span to accepted row, beside `OTLPSpanExporter` over HTTP.

    python benchmarks/path_cost.py            # needs opentelemetry-exporter-otlp-proto-http
    python benchmarks/path_cost.py --dialect langchain --dialect openinference
    python benchmarks/path_cost.py --thread   # as in life: `export()` on a thread of its own
    python benchmarks/path_cost.py --core     # the processor's core beside our exporter
    python benchmarks/path_cost.py --profile

Both export the same spans in turn, in one run: absolute figures drift, their ratio hardly does. CPU is
all of this process's, all threads; the servers are in another. The core is a process of its own, which takes
over its socket the bytes that the processor sends, in groups of eight exports; its CPU is that from there on.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import os
import pstats
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan
from sink import Sink
from spans import DIALECTS, finished

sys.path.insert(0, str(Path(__file__).parent.parent))

from otel_arthur.collector.otlp.handed_over import CONTENT_TYPE
from otel_arthur.sdk.inside_the_sdk import attributes_of, view_of
from otel_arthur.sdk.span_exporter import ArthurSpanExporter
from tests.support.processes.cores import Core
from tests.support.waiting import eventually

BATCH = 512
EXPORT, EXPORTS, WINDOW = 48, 8, 1
"""Spans in an export, exports in a group (of a megabyte), and the duplicate window for the core."""


def measured(export: Callable[[Sequence[ReadableSpan]], object], spans: Sequence[ReadableSpan]) -> float:
    """Microseconds of CPU per span. The garbage collector has done with the making of the spans before."""
    gc.collect()
    began = time.process_time()
    export(spans)
    return (time.process_time() - began) / len(spans) * 1e6


def in_batches(export: Callable[[Sequence[ReadableSpan]], object], spans: Sequence[ReadableSpan]) -> None:
    for start in range(0, len(spans), BATCH):
        export(spans[start : start + BATCH])


def packed(spans: Sequence[ReadableSpan]) -> list[object]:
    """An export as ``packing.go`` writes it."""
    views = [view_of(span, attributes_of(span)) for span in spans]
    calls = [
        [
            *(one.trace_id, one.span_id, one.parent_span_id, 0x100, 3, one.name, one.start_ns, one.end_ns),
            *(one.status_code, one.status_message, one.attributes, [], one.dropped_attributes),
        ]
        for one in views
    ]
    return [[views[0].resource, [[views[0].scope, views[0].scope_version, calls, [], []]]]]


def groups(spans: Sequence[ReadableSpan]) -> list[bytes]:
    """What the processor makes of spans."""
    made = [packed(spans[start : start + EXPORT]) for start in range(0, len(spans), EXPORT)]
    return [msgspec.msgpack.encode(made[start : start + EXPORTS]) for start in range(0, len(made), EXPORTS)]


def cpu_seconds(pid: int) -> float:
    """Of a process so far (``clock_getcpuclockid(3)``)."""
    return time.clock_gettime(~pid << 3 | 2)


def by_core(core: Core, spans: Sequence[ReadableSpan], sent: int) -> float:
    """Microseconds of CPU per span of the core, until it has `sent` so many in all."""
    assert core.process is not None
    bodies, began = groups(spans), cpu_seconds(core.process.pid)
    for body in bodies:
        status, answer = core.ask("POST", "/v1/traces", body, **{"Content-Type": CONTENT_TYPE})
        assert status == 200, answer

    def is_sent() -> bool:
        time.sleep(WINDOW / 4)  # each question is the core's work too
        return core.counters()["otelcol_exporter_sent_spans", "arthur"] == sent

    eventually(is_sent, "all calls are sent")
    return (cpu_seconds(core.process.pid) - began) / len(spans) * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--batches", type=int, default=8)
    parser.add_argument("--window", default="10", help="the duplicate window in seconds")
    parser.add_argument("--dialect", action="append", choices=DIALECTS, help="by default each of them")
    parser.add_argument("--thread", action="store_true", help="export on a thread that is not the main one")
    parser.add_argument("--core", action="store_true", help="the core beside our exporter")
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    for dialect in options.dialect or DIALECTS:
        if options.core:
            compare_core(dialect, options)
        elif options.thread:
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


def compare_core(dialect: str, options: argparse.Namespace) -> None:
    """The exporter and the core on the spans of one dialect."""
    os.environ["OTEL_EXPORTER_ARTHUR_DUPLICATE_WINDOW"] = str(WINDOW)
    with Sink() as sink, tempfile.TemporaryDirectory() as folder:
        spool = Path(folder) / "exporter"
        arthur = ArthurSpanExporter(endpoint=sink.url, api_key="k", model_id="bench", spool_dir=spool)
        own = {"endpoint": sink.url, "api_key": "k", "models": [{"model_id": "bench"}]}
        sections = {"arthur": {**own, "duplicate_window": WINDOW}, "spool": {"directory": "./core"}}
        core = Core(Path(folder), sections).beside()

        def to_arthur(spans: Sequence[ReadableSpan]) -> None:
            in_batches(arthur.export, spans)
            assert arthur.force_flush(60_000)

        figures: list[tuple[float, float]] = []
        for number in range(options.rounds + 1):
            spans = finished(BATCH * options.batches, dialect)
            ours = measured(to_arthur, spans)
            figures.append((ours, by_core(core, spans, (number + 1) * len(spans))))
        core.stop()
        arthur.shutdown()
    exporter, its = (statistics.median(values) for values in zip(*figures[1:], strict=True))
    ratio = statistics.median(mine / other for other, mine in figures[1:])
    print(
        f"{dialect:14s} ArthurSpanExporter {exporter:5.1f} us of CPU per span, the core {its:5.1f} us, "
        f"ratio {ratio:.2f}"
    )


def _profiled(work: Callable[[], None]) -> list[cProfile.Profile]:
    """A profile of the caller's thread: reading, building, appending. The sender's part is the rest."""
    profile = cProfile.Profile()
    profile.runcall(work)
    return [profile]


if __name__ == "__main__":
    main()
