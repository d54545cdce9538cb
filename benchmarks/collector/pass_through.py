"""What the collector costs a pipeline, and what one side's hang does to the other.

    python benchmarks/collector/pass_through.py cost
    python benchmarks/collector/pass_through.py hang --seconds 60

`cost` gives the collector's CPU time for one request of 100 spans, none or all of them LLM calls, and
the same for its receiver alone (no next hop). `hang` loads a collector whose Arthur, and then whose
next hop, takes connections and never answers, beside a healthy one. Every process is on this machine,
and each figure is the median of `--rounds`.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import socket
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import grpc
import requests

sys.path.insert(0, str(Path(__file__).parents[2]))

from otel_arthur.local import LocalArthur
from tests.support.processes.collectors import ArthurCollector
from tests.support.servers.next_hops import HTTPServerBehind
from tests.support.spans.otlp_requests import METHODS, all_spans, llm_request, plain_request

HEADERS = {"Content-Type": "application/x-protobuf"}
SPANS = 100


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def configuration(arthur: str, spool: str, forward: str | None) -> str:
    sections = [
        "receivers: {otlp: {grpc: {endpoint: '127.0.0.1:0'}, http: {endpoint: '127.0.0.1:0'}}}",
        f"arthur: {{endpoint: '{arthur}', api_key: k, models: [{{model_id: m}}]}}",
        f"spool: {{directory: '{spool}', max_mb: 8192}}",
        "metrics: {endpoint: '127.0.0.1:0'}",
        "service: {drain_seconds: 1}",
    ]
    if forward:
        sections.append(f"forward: {{endpoint: '{forward}', timeout: 5s}}")
    return "\n".join(sections) + "\n"


def requests_of(kind: str, count: int) -> list[bytes]:
    """Requests with ids of their own: what is sent twice would be known already."""
    make = plain_request if kind == "plain" else llm_request
    made: list[bytes] = []
    request = make(SPANS)
    for _ in range(count):
        for span in all_spans(request):
            span.trace_id, span.span_id = os.urandom(16), os.urandom(8)
        made.append(request.SerializeToString())
    return made


@contextlib.contextmanager
def hanging() -> Iterator[str]:
    """A server that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=1000) as listener:
        held: list[socket.socket] = []

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    held.append(listener.accept()[0])

        threading.Thread(target=accept, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        for sock in held:
            sock.close()


def cost(rounds: int, count: int) -> None:
    print(f"requests of {SPANS} spans; collector's CPU milliseconds a request, median of {rounds}")
    with LocalArthur() as arthur, HTTPServerBehind() as behind, tempfile.TemporaryDirectory() as folder:
        account = arthur.url
        for forward in (None, behind.url):
            for kind in ("plain", "llm"):
                for transport in ("http", "grpc"):
                    figures = []
                    for number in range(rounds):
                        yaml = configuration(
                            account, f"{folder}/{kind}{transport}{bool(forward)}{number}", forward
                        )
                        with ArthurCollector(Path(folder), yaml) as ours:
                            send = sender(ours, transport)
                            for body in requests_of(kind, 20):
                                send(body)
                            bodies = requests_of(kind, count)
                            before = cpu_seconds(ours.pid)
                            for body in bodies:
                                send(body)
                            figures.append((cpu_seconds(ours.pid) - before) / count * 1000)
                        behind.got.clear()
                    where = "handed on over HTTP" if forward else "answered here"
                    size, figure = len(bodies[0]), statistics.median(figures)
                    print(f"{kind:6} {size:7} bytes over {transport}, {where:20} {figure:6.2f}")


def sender(ours: ArthurCollector, transport: str):
    if transport == "http":
        session = requests.Session()
        return lambda body: session.post(f"{ours.http}/v1/traces", data=body, headers=HEADERS, timeout=60)
    call = grpc.insecure_channel(ours.grpc).unary_unary(METHODS["traces"])
    return lambda body: call(body, timeout=60)


def hang(seconds: float) -> None:
    print(f"8 senders for {seconds:g} s each; requests of {SPANS} LLM spans")
    with (
        LocalArthur() as arthur,
        HTTPServerBehind() as behind,
        hanging() as hung,
        tempfile.TemporaryDirectory() as at,
    ):
        cases = [
            ("healthy", arthur.url, behind.url),
            ("Arthur hangs", hung, behind.url),
            ("next hop hangs", arthur.url, hung),
        ]
        for number, (name, arthur_url, forward) in enumerate(cases):
            with ArthurCollector(Path(at), configuration(arthur_url, f"{at}/{number}", forward)) as ours:
                answered = load(ours, seconds)
                metrics = ours.metrics()
                taken = metrics.get('otelcol_arthur_calls{outcome="taken"}', 0)
                forwarded = metrics.get('otelcol_exporter_sent_spans{exporter="forward"}', 0)
                memory = metrics["otelcol_process_memory_rss"] / 2**20
                print(
                    f"{name:15} {forwarded / seconds:8.0f} spans/s handed on, {taken / seconds:8.0f} calls/s "
                    f"into the spool, answers {answered}, {memory:.0f} MiB"
                )
            behind.got.clear()


def load(ours: ArthurCollector, seconds: float) -> dict[int, int]:
    answered: dict[int, int] = {}
    lock = threading.Lock()
    deadline = time.monotonic() + seconds

    def send() -> None:
        session = requests.Session()
        while time.monotonic() < deadline:
            (body,) = requests_of("llm", 1)
            status = session.post(
                f"{ours.http}/v1/traces", data=body, headers=HEADERS, timeout=60
            ).status_code
            with lock:
                answered[status] = answered.get(status, 0) + 1

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answered


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("what", choices=["cost", "hang"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=60)
    arguments = parser.parse_args()
    if arguments.what == "cost":
        cost(arguments.rounds, arguments.requests)
    else:
        hang(arguments.seconds)
