"""What the processor `arthur` costs a Collector, beside the same Collector without it and beside the service.

    python benchmarks/collector/processor.py
    python benchmarks/collector/processor.py --requests 300 --rounds 5

Three topologies in one run, each with a Collector built from ``collector/builder-config.yaml``:

- `without`: receiver, batch, exporter;
- `processor`: the same with `arthur` before batch, and the core that it runs;
- `service`: today's round trip, out to `otel-arthur collector` and back in on a second pipeline.

Eight senders, requests of 100 spans, of which none, five or all are LLM calls. Counted is the CPU time of the
Collector and of the core or the service, from the first request until every span is at the next hop and
every inference at a local Arthur. Those two and the sender are not counted. Each figure is the median of the
rounds, which take the topologies in turn.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

sys.path.insert(0, str(Path(__file__).parents[2]))

from otel_arthur.local import LocalArthur
from tests.support.environments import stock_collector
from tests.support.processes.collectors import ArthurCollector, StockCollector
from tests.support.servers.account import Account
from tests.support.servers.next_hops import HTTPServerBehind
from tests.support.servers.ports import free_port
from tests.support.spans.otlp_requests import all_spans, llm_request, plain_request
from tests.support.waiting import eventually

SPANS = 100
SENDERS = 8
HEADERS = {"Content-Type": "application/x-protobuf"}
TOPOLOGIES = ("without", "processor", "service")
SHARES = {"no LLM span": 0, "5% LLM spans": 5, "all LLM spans": 100}
TARGETS = {
    "no LLM span": ("without", 1.05),
    "5% LLM spans": ("service", 0.5),
    "all LLM spans": ("service", 0.6),
}
_ATTRIBUTES = {
    "url.path": "/api/orders/1234",
    "url.scheme": "https",
    "server.address": "shop.example",
    "http.route": "/api/orders/{id}",
    "user_agent.original": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36",
    "client.address": "10.1.2.3",
}


def bodies(llm: int, count: int) -> list[bytes]:
    """Requests with ids of their own: what is sent twice would be known already."""
    request = plain_request(SPANS - llm)
    for span in all_spans(request):
        for key, value in _ATTRIBUTES.items():
            span.attributes.add(key=key).value.string_value = value
    if llm:
        request.MergeFrom(llm_request(llm))
    made: list[bytes] = []
    for _ in range(count):
        for span in all_spans(request):
            span.trace_id, span.span_id = os.urandom(16), os.urandom(8)
        made.append(request.SerializeToString())
    return made


def cpu_seconds(pids: list[int]) -> float:
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


@contextmanager
def topology(
    name: str, folder: Path, account: Account, model_id: str, behind: str
) -> Iterator[tuple[str, list[int]]]:
    """Where to send, and the processes that count."""
    folder.mkdir()
    way_in, way_back, to_service = free_port(), free_port(), free_port()
    arthur = {
        "endpoint": account.url,
        "api_key": account.api_key,
        "models": [{"model_id": model_id}],
        "duplicate_window": 1,
    }
    spool = {"directory": str(folder / "spool")}
    batch = {"send_batch_size": 512, "send_batch_max_size": 512, "timeout": "200ms"}
    next_hop = {"endpoint": behind, "compression": "none"}
    configuration: dict[str, Any] = {
        "receivers": {"otlp": _otlp(way_in)},
        "processors": {"batch": batch},
        "exporters": {"otlp_http": next_hop},
        "service": {"telemetry": {"metrics": {"level": "none"}, "logs": {"level": "warn"}}},
    }
    through = {"receivers": ["otlp"], "processors": ["batch"], "exporters": ["otlp_http"]}
    pipelines: dict[str, Any] = {"traces": through}
    service = None
    if name == "processor":
        command = [sys.executable, "-m", "otel_arthur", "core"]
        configuration["processors"]["arthur"] = {
            "core": {"command": command},
            "arthur": arthur,
            "spool": spool,
        }
        through["processors"] = ["arthur", "batch"]
    elif name == "service":
        sections = {
            "receivers": {"otlp": {"http": {"endpoint": f"127.0.0.1:{to_service}"}}},
            "arthur": arthur,
            "spool": spool,
            "forward": {"endpoint": f"http://127.0.0.1:{way_back}"},
        }
        service = ArthurCollector(folder, json.dumps(sections))
        configuration["receivers"]["otlp/back"] = _otlp(way_back)
        to_arthur = {"endpoint": f"http://127.0.0.1:{to_service}", "compression": "none"}
        configuration["exporters"]["otlp_http/arthur"] = to_arthur
        through["exporters"] = ["otlp_http/arthur"]
        pipelines["traces/back"] = {"receivers": ["otlp/back"], "exporters": ["otlp_http"]}
    configuration["service"]["pipelines"] = pipelines
    collector = StockCollector(folder, json.dumps(configuration), (way_in,))
    collector.start()
    if service is not None:
        service.start()
    try:
        pids = [collector.pid, *_children(collector.pid), *([service.pid] if service else [])]
        yield f"http://127.0.0.1:{way_in}/v1/traces", pids
    finally:
        collector.stop()
        if service is not None:
            service.stop()


def _otlp(port: int) -> dict[str, Any]:
    return {"protocols": {"http": {"endpoint": f"127.0.0.1:{port}"}}}


def _children(pid: int) -> list[int]:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(child) for task in tasks for child in (task / "children").read_text().split()]


def measured(name: str, llm: int, count: int, folder: Path) -> float:
    """CPU microseconds a span."""
    with LocalArthur() as arthur, HTTPServerBehind() as behind:
        account = Account(arthur)
        model_id = account.onboard("bench")
        with topology(name, folder, account, model_id, behind.url) as (url, pids):
            sessions = [requests.Session() for _ in range(SENDERS)]

            def post(number: int, requests_: list[bytes]) -> None:
                for body in requests_[number::SENDERS]:
                    sessions[number].post(url, data=body, headers=HEADERS, timeout=120).raise_for_status()

            def send(requests_: list[bytes]) -> None:
                before, calls = sum(len(got.body) for got in behind.got), account.count(model_id)
                size = sum(map(len, requests_))
                with ThreadPoolExecutor(SENDERS) as executor:
                    list(executor.map(post, range(SENDERS), [requests_] * SENDERS))
                # A batch writes resources once that requests repeat, so sizes fit only roughly.
                eventually(
                    lambda: sum(len(got.body) for got in behind.got) - before > 0.97 * size, "all spans"
                )
                wanted = llm * len(requests_) if name != "without" else 0
                eventually(lambda: account.count(model_id) - calls >= wanted, "all inferences")

            send(bodies(llm, max(10, count // 10)))
            made = bodies(llm, count)
            began = cpu_seconds(pids)
            send(made)
            return (cpu_seconds(pids) - began) / count / SPANS * 1e6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--requests", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    if reason := stock_collector.provision():
        print(reason)
        return 1
    print(f"CPU microseconds a span; {arguments.requests} requests of {SPANS}; median of {arguments.rounds}")
    print(f"{'':14} " + " ".join(f"{name:>10}" for name in TOPOLOGIES))
    met = True
    with tempfile.TemporaryDirectory() as folder:
        for share, llm in SHARES.items():
            figures: dict[str, list[float]] = {name: [] for name in TOPOLOGIES}
            for number in range(arguments.rounds):
                for name in TOPOLOGIES:
                    # A plain request is cheap to make, and needs more of them to be measured at all.
                    count = arguments.requests if llm == 100 else 5 * arguments.requests
                    at = Path(folder) / f"{llm}-{number}-{name}"
                    figures[name].append(measured(name, llm, count, at))
            medians = {name: statistics.median(values) for name, values in figures.items()}
            against, limit = TARGETS[share]
            ratio = medians["processor"] / medians[against]
            met &= ratio <= limit
            print(
                f"{share:14} "
                + " ".join(f"{medians[name]:10.1f}" for name in TOPOLOGIES)
                + f"   {ratio:.2f} of {against}, at most {limit}",
                flush=True,
            )
    return 0 if met else 1


if __name__ == "__main__":
    raise SystemExit(main())
