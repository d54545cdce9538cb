"""What reading a finished span costs the thread that exports it: an LLM span of 2.6 kB, and an ordinary one.

    python benchmarks/reading_cost.py
    python benchmarks/reading_cost.py --profile

From the SDK's span to an `LLMCall`. Each span is read once, as in life: none of it is in the processor's
cache, and all the other spans are there for the garbage collector to look at.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import pstats
import statistics
import time
from collections.abc import Sequence

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from spans import DIALECTS, finished

from otel_arthur.genai.reading import is_candidate, read
from otel_arthur.sdk.inside_the_sdk import attributes_of, view_of


def read_all(spans: Sequence[ReadableSpan]) -> int:
    """As the exporter does; returns how many were LLM calls."""
    calls = 0
    for span in spans:
        attributes = attributes_of(span)
        if is_candidate(attributes):
            calls += read(view_of(span, attributes)).call is not None
    return calls


def ordinary(count: int) -> Sequence[ReadableSpan]:
    """`count` spans of an HTTP client, of 12 attributes each."""
    memory = InMemorySpanExporter()
    provider = TracerProvider(resource=Resource.create({"service.name": "benchmark"}))
    provider.add_span_processor(SimpleSpanProcessor(memory))
    tracer = provider.get_tracer("opentelemetry.instrumentation.httpx", "0.66b0")
    for number in range(count):
        with tracer.start_as_current_span("GET") as span:
            span.set_attributes(
                {
                    "http.request.method": "GET",
                    "url.full": f"https://shop.test/items/{number}?page=1",
                    "url.scheme": "https",
                    "server.address": "shop.test",
                    "server.port": 443,
                    "network.protocol.name": "http",
                    "network.protocol.version": "1.1",
                    "network.peer.address": "10.0.0.1",
                    "user_agent.original": "httpx/1.0",
                    "http.response.status_code": 200,
                    "http.response.body.size": number,
                    "thread.id": 1,
                }
            )
    return memory.get_finished_spans()


def microseconds(spans: Sequence[ReadableSpan], expected: int) -> float:
    gc.collect()
    began = time.thread_time()
    found = read_all(spans)
    cost = (time.thread_time() - began) / len(spans) * 1e6
    assert found == expected, f"{found} calls in {expected} spans"
    return cost


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--spans", type=int, default=4096)
    parser.add_argument("--profile", action="store_true")
    options = parser.parse_args()
    named: list[tuple[str, list[float]]] = []
    for dialect in DIALECTS:
        read_all(finished(100, dialect))
        costs = [microseconds(finished(options.spans, dialect), options.spans) for _ in range(options.rounds)]
        named.append((f"LLM span, {dialect}", costs))
    other = [microseconds(ordinary(options.spans), 0) for _ in range(options.rounds)]
    for name, costs in (*named, ("ordinary span", other)):
        mean, least, most = statistics.mean(costs), min(costs), max(costs)
        print(f"{name:24s}{mean:6.2f} us of CPU on average (rounds: {least:.2f} to {most:.2f})")
    if options.profile:
        spans = finished(options.spans)
        profile = cProfile.Profile()
        profile.runcall(read_all, spans)
        pstats.Stats(profile).sort_stats("tottime").print_stats(20)


if __name__ == "__main__":
    main()
