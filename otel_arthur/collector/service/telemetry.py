"""The collector's own counters, under the Collector's names, as Prometheus text.

Names: OpenTelemetry Collector, "Internal telemetry". Values never hold anything of a request but its size.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from prometheus_client import generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

Labels = tuple[tuple[str, str], ...]
Sample = tuple[str, Labels, float]

_HELP = {
    "otelcol_receiver_accepted": "Items that were taken and answered with success",
    "otelcol_receiver_refused": "Items that were not taken",
    "otelcol_exporter_sent": "Items that the next hop, or Arthur, accepted",
    "otelcol_exporter_send_failed": "Items that the next hop, or Arthur, refused or that did not reach it",
    "otelcol_exporter_enqueue_failed": "Items that a full spool did not take",
    "otelcol_exporter_queue_size": "Inferences waiting in the spool",
    "otelcol_exporter_queue_capacity": "Size limit of the spool, in bytes",
    "otelcol_arthur_calls": "LLM calls seen, by outcome",
    "otelcol_arthur_spans_skipped": "LLM spans that became no inference, by reason",
    "otelcol_arthur_duplicates": "Calls that another instrumentation had recorded already",
    "otelcol_arthur_calls_not_durable": "Calls whose request was answered before they were on disk",
    "otelcol_arthur_parts_unread": "Parts of requests that are not valid: they went on as they came",
    "otelcol_arthur_requests_unread": "Requests that were not searched for calls, by reason",
    "otelcol_arthur_requests_unstamped": "Requests that went on without stamps, as reading took too long",
    "otelcol_arthur_connections_ended": "Connections that were ended, by reason",
    "otelcol_arthur_loops": "Requests that had been here before, by the sign that showed it",
    "otelcol_arthur_in_flight_bytes": "Bytes of requests that are not answered yet",
    "otelcol_process_uptime": "Seconds since the start",
    "otelcol_process_memory_rss": "Resident memory, in bytes",
    "otelcol_process_cpu_seconds": "CPU time, user and system",
}
_GAUGES = frozenset(
    {
        "otelcol_exporter_queue_size",
        "otelcol_exporter_queue_capacity",
        "otelcol_arthur_in_flight_bytes",
        "otelcol_process_memory_rss",
    }
)


class Telemetry:
    """Counters of one process. Only the event loop's thread touches them."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self._counts: Counter[tuple[str, Labels]] = Counter()

    def add(self, name: str, count: float = 1, **labels: str) -> None:
        """Count `count` more of `name`; zero makes the series visible."""
        self._counts[name, tuple(sorted(labels.items()))] += count  # type: ignore[assignment]

    def samples(self) -> Iterator[Sample]:
        for (name, labels), value in self._counts.items():
            yield name, labels, value
        yield "otelcol_process_uptime", (), time.monotonic() - self._started
        yield "otelcol_process_memory_rss", (), _resident_bytes()
        yield "otelcol_process_cpu_seconds", (), time.process_time()


class _Page(Collector):
    """A page of `/metrics`, as prometheus_client collects one."""

    def __init__(self, samples: Iterable[Sample]) -> None:
        self._samples = samples

    def collect(self) -> Iterable[Metric]:
        families: dict[str, Metric] = {}
        for name, labels, value in self._samples:
            kind = "gauge" if name in _GAUGES else "unknown"
            family = families.setdefault(name, Metric(name, _help(name), kind))
            family.add_sample(name, dict(labels), value)
        return [families[name] for name in sorted(families)]


def exposition(samples: Iterable[Sample]) -> bytes:
    """Prometheus's text format, version 0.0.4."""
    # prometheus_client appends _total to a counter, which the Collector's own names do not have.
    return generate_latest(_Page(samples)).replace(b" untyped\n", b" counter\n")


def _help(name: str) -> str:
    return next((_HELP[prefix] for prefix in sorted(_HELP, reverse=True) if name.startswith(prefix)), name)


def _resident_bytes() -> float:
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
        return float(pages * os.sysconf("SC_PAGE_SIZE"))
    except (OSError, ValueError, AttributeError):
        try:  # no /proc: the peak is the nearest that the standard library knows
            import resource

            return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
        except ImportError:
            return 0.0
