"""The configurations in ``collector/``, each started as its README says, with a stock Collector around us."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest
import requests
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.support.paths import ROOT
from tests.support.processes.collectors import ArthurCollector, StockCollector, running
from tests.support.processes.running import finished
from tests.support.servers.account import Account
from tests.support.servers.ports import free_port
from tests.support.spans.exports import trace_exports
from tests.support.spans.otlp_requests import (
    all_spans,
    ids,
    llm_request,
    log_request,
    metric_request,
    plain_request,
)
from tests.support.waiting import PATIENCE, eventually

pytestmark = [
    pytest.mark.collector,
    pytest.mark.slow,
    pytest.mark.timeout(900),  # where the Collector has to be built first
    pytest.mark.usefixtures("stock"),
]

FOLDER = ROOT / "collector"


class Topology:
    """Starts the shipped files on ports of their own."""

    def __init__(self, folder: Path, account: Account, model_id: str) -> None:
        self.folder = folder
        self.account = account
        self.model_id = model_id

    def ours(self, forward: str, name: str = "arthur", grpc: int = 0, http: int = 0) -> ArthurCollector:
        collector = ArthurCollector(self.folder, (FOLDER / "arthur.yaml").read_text(), name)
        collector.environment.update(
            ARTHUR_ENDPOINT_URL=self.account.url,
            ARTHUR_API_KEY=self.account.api_key,
            ARTHUR_MODEL_ID=self.model_id,
            ARTHUR_COLLECTOR_GRPC=f"127.0.0.1:{grpc}",
            ARTHUR_COLLECTOR_HTTP=f"127.0.0.1:{http}",
            ARTHUR_COLLECTOR_FORWARD=forward,
            ARTHUR_COLLECTOR_SPOOL=f"./spool-{name}",
            ARTHUR_COLLECTOR_HEALTH="127.0.0.1:0",
            ARTHUR_COLLECTOR_METRICS="127.0.0.1:0",
        )
        return collector

    def stock(self, file: str, *more_ports: int, **environment: str) -> Any:
        """A stock Collector with one of our files; `grpc` and `http` are where it listens."""
        grpc, http = free_port(), free_port()
        content = (FOLDER / f"otelcol-{file}.yaml").read_text()
        collector = StockCollector(self.folder, content, (grpc, http, *more_ports), f"otelcol-{file}")
        collector.environment.update(
            OTLP_GRPC_ENDPOINT=f"127.0.0.1:{grpc}",
            OTLP_HTTP_ENDPOINT=f"127.0.0.1:{http}",
            HEALTH_ENDPOINT=f"127.0.0.1:{free_port()}",
            TRACES_FILE=str(self.folder / f"{file}.jsonl"),
            QUEUE_DIRECTORY=str(self.folder / "queue"),
            **environment,
        )
        collector.http = f"http://127.0.0.1:{http}"
        return collector

    def written(self, file: str) -> list[ExportTraceServiceRequest]:
        """What a Collector's file exporter has written, as requests."""
        path = self.folder / f"{file}.jsonl"
        if not path.exists():
            return []
        # The last line may be half written.
        content = path.read_bytes().rpartition(b"\n")[0]
        return trace_exports(content) if content.strip() else []


@pytest.fixture
def topology(tmp_path: Path, account: Account, model_id: str) -> Topology:
    return Topology(tmp_path, account, model_id)


def send(endpoint: str, request: Any, signal_name: str = "traces") -> None:
    response = requests.post(
        f"{endpoint}/v1/{signal_name}",
        data=request.SerializeToString(),
        headers={"Content-Type": "application/x-protobuf"},
        timeout=PATIENCE,
    )
    assert response.status_code == 200, response.content


def spans_of(requests_: list[ExportTraceServiceRequest]) -> list[dict[str, Any]]:
    """Every span with its resource and scope, in an order of its own."""
    found = [
        {
            "resource": MessageToDict(resource_spans.resource),
            "scope": MessageToDict(scope_spans.scope),
            # The Collector writes a status that was not set as an empty one.
            "span": {key: value for key, value in MessageToDict(span).items() if value != {}},
        }
        for request in requests_
        for resource_spans in request.resource_spans
        for scope_spans in resource_spans.scope_spans
        for span in scope_spans.spans
    ]
    return sorted(found, key=lambda entry: entry["span"]["spanId"])


def test_agent_hands_everything_on(topology: Topology, account: Account, model_id: str) -> None:
    backend = topology.stock("backend")
    ours = topology.ours(backend.http)
    calls, plain = llm_request(3), plain_request(20)
    with running(backend, ours):
        agent = topology.stock("agent", ARTHUR_COLLECTOR=ours.http)
        with agent:
            send(agent.http, calls)
            send(agent.http, plain)
            send(agent.http, log_request(), "logs")
            send(agent.http, metric_request(), "metrics")
            eventually(lambda: account.count(model_id) == 3, "three inferences")
            eventually(lambda: len(spans_of(topology.written("backend"))) == 23, "all spans in the file")
            text = topology.folder / "backend.jsonl"
            for key in ("resourceLogs", "resourceMetrics"):
                eventually(lambda key=key: key in text.read_text(), key)
    assert set(account.inferences(model_id)) == set(ids(calls))
    assert spans_of(topology.written("backend")) == spans_of([calls, plain])


def test_bytes_are_the_same_with_and_without_us(topology: Topology, tmp_path: Path) -> None:
    """Application, Collector, us, Collector, file: the file is what it is without us."""
    (tmp_path / "without").mkdir()
    without = Topology(tmp_path / "without", topology.account, topology.model_id)
    behind_us, directly = topology.stock("backend"), without.stock("backend")
    ours = topology.ours(behind_us.http)
    batches = [llm_request(5, text="Grüße, Jürgen 👋"), plain_request(30), llm_request(1)]
    with running(behind_us, directly, ours):
        fronts = [
            topology.stock("agent", ARTHUR_COLLECTOR=ours.http),
            without.stock("agent", ARTHUR_COLLECTOR=directly.http),
        ]
        files = [folder / "backend.jsonl" for folder in (tmp_path, tmp_path / "without")]
        with running(*fronts):
            for number, request in enumerate(batches, 1):
                for front, file in zip(fronts, files, strict=True):
                    send(front.http, request)
                    # One after another, for the agent makes one batch of what comes together.
                    eventually(lambda file=file, number=number: lines(file) == number, f"line {number}")
    assert files[0].read_bytes() == files[1].read_bytes()


def lines(file: Path) -> int:
    return file.read_bytes().count(b"\n") if file.exists() else 0


def test_processor_of_an_existing_collector(topology: Topology, account: Account, model_id: str) -> None:
    back, http = free_port(), free_port()
    ours = topology.ours(f"http://127.0.0.1:{back}", http=http)
    collector = topology.stock(
        "round-trip",
        back,
        ARTHUR_COLLECTOR=f"http://127.0.0.1:{http}",
        FROM_ARTHUR_ENDPOINT=f"127.0.0.1:{back}",
    )
    calls, plain = llm_request(2), plain_request(3)
    with running(collector, ours):
        send(collector.http, calls)
        send(collector.http, plain)
        eventually(lambda: account.count(model_id) == 2, "two inferences")
        eventually(lambda: len(spans_of(topology.written("round-trip"))) == 5, "all spans in the file")
    assert spans_of(topology.written("round-trip")) == spans_of([calls, plain])
    assert set(account.inferences(model_id)) == set(ids(calls))


def test_nothing_is_lost_when_we_are_killed(topology: Topology, account: Account, model_id: str) -> None:
    """A persistent queue in front of us, `kill -9` in the middle, and each call arrives once."""
    backend = topology.stock("backend")
    http = free_port()
    ours = topology.ours(backend.http, http=http)
    sent: list[ExportTraceServiceRequest] = []
    with running(backend, ours):
        agent = topology.stock("agent", ARTHUR_COLLECTOR=f"http://127.0.0.1:{http}")
        with agent:
            for number in range(30):
                sent.append(llm_request(4, text=f"call {number}"))
                send(agent.http, sent[-1])
                if number in (10, 20):
                    ours.stop(signal.SIGKILL)
                    ours.start()
            expected = {identity for request in sent for identity in ids(request)}
            eventually(lambda: account.count(model_id) == len(expected), "every call in Arthur", 90)
            keys = {span.span_id for request in sent for span in all_spans(request)}
            eventually(
                lambda: keys <= {s.span_id for r in topology.written("backend") for s in all_spans(r)},
                "every span at the backend",
            )
    assert set(account.inferences(model_id)) == expected


@pytest.mark.parametrize("routing_key", ["traceID", "service"])
def test_two_of_us_behind_a_gateway(
    topology: Topology, account: Account, model_id: str, routing_key: str
) -> None:
    """The ring brings what belongs together to one of us: a pair of records becomes one inference."""
    backend = topology.stock("backend")
    first = topology.ours(backend.http, "first", grpc=free_port())
    second = topology.ours(backend.http, "second", grpc=free_port())
    pairs = [pair_of_records(f"service-{number}", routing_key) for number in range(12)]
    with running(backend, first, second):
        gateway = topology.stock(
            "gateway",
            ARTHUR_COLLECTOR_1=first.grpc,
            ARTHUR_COLLECTOR_2=second.grpc,
            LB_ROUTING_KEY=routing_key,
        )
        with gateway:
            for outer, inner in pairs:
                send(gateway.http, outer)
                send(gateway.http, inner)
            eventually(lambda: len(spans_of(topology.written("backend"))) == 24, "all spans in the file")
            counts = [collector.metrics() for collector in (first, second)]
    name = 'otelcol_receiver_accepted_spans{receiver="otlp",transport="grpc"}'
    # Which one a key goes to is the ring's affair; both taking part shows that there is one.
    assert [count.get(name, 0) > 0 for count in counts] == [True, True]
    eventually(lambda: account.count(model_id) >= 12, "an inference of each pair")
    assert account.count(model_id) == 12


def pair_of_records(service: str, routing_key: str) -> tuple[Any, Any]:
    """One call written down by a framework's and by a provider's instrumentation."""
    outer, inner = llm_request(1, service), llm_request(1, service)
    outer_span, inner_span = all_spans(outer)[0], all_spans(inner)[0]
    outer.resource_spans[0].scope_spans[0].scope.name = "opentelemetry.instrumentation.langchain"
    for span in (outer_span, inner_span):
        attribute = span.attributes.add(key="gen_ai.response.id")
        attribute.value.string_value = f"chatcmpl-{outer_span.span_id.hex()}"
    inner_span.start_time_unix_nano = outer_span.start_time_unix_nano + 1_000_000
    inner_span.end_time_unix_nano = outer_span.end_time_unix_nano - 1_000_000
    if routing_key == "traceID":
        inner_span.trace_id = outer_span.trace_id
        inner_span.parent_span_id = outer_span.span_id
    return outer, inner


def test_file_exporter_into_replay(topology: Topology, account: Account, model_id: str) -> None:
    """What a Collector wrote down is sent afterwards, by the documented command."""
    import sys

    backend = topology.stock("backend")
    calls = llm_request(4)
    with backend:
        send(backend.http, calls)
        eventually(lambda: len(spans_of(topology.written("backend"))) == 4, "the file")
    done = finished(
        [sys.executable, "-m", "otel_arthur", "replay", str(topology.folder / "backend.jsonl")],
        env={
            "OTEL_EXPORTER_ARTHUR_ENDPOINT": account.url,
            "OTEL_EXPORTER_ARTHUR_API_KEY": account.api_key,
            "OTEL_EXPORTER_ARTHUR_MODEL_ID": model_id,
            "OTEL_EXPORTER_ARTHUR_SPOOL_DIR": str(topology.folder / "replay-spool"),
        },
    )
    assert done.returncode == 0, done.stderr
    assert set(account.inferences(model_id)) == set(ids(calls))
