"""Apache Kafka between Collectors: members of the group are killed under load, the broker starts anew.

`make faults` runs it. `make test` does not find it, by its name: it takes minutes and Kafka's jars.
``KILL_ROUNDS`` says how often a member is killed.
"""

from __future__ import annotations

import collections
import gzip
import itertools
import os
import signal
import sys
from pathlib import Path

import pytest
import requests
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.collector.processor.test_kills import Load
from tests.support.environments import kafka
from tests.support.paths import ROOT
from tests.support.processes.brokers import Broker
from tests.support.processes.collectors import StockCollector
from tests.support.servers.fault_server import MODEL_ID, FaultServer
from tests.support.servers.next_hops import HTTPServerBehind
from tests.support.servers.ports import free_port
from tests.support.spans.otlp_requests import all_spans, ids
from tests.support.waiting import PATIENCE, eventually

ROUNDS = int(os.environ.get("KILL_ROUNDS", "10"))
MEMBERS = 3
PARTITIONS = 6
REBALANCE_SECONDS = 900.0
"""A group misses a member after its session timeout of 10 s, and this machine may be busy."""
FOLDER = ROOT / "collector"

pytestmark = [pytest.mark.collector, pytest.mark.timeout(7200), pytest.mark.usefixtures("stock")]


@pytest.fixture(scope="module", autouse=True)
def provisioned() -> None:
    if reason := kafka.provision():
        pytest.skip(reason)


def _collector(folder: Path, file: str, ports: tuple[int, ...], **environment: str) -> StockCollector:
    folder.mkdir(exist_ok=True)
    made = StockCollector(folder, (FOLDER / f"otelcol-{file}.yaml").read_text(), ports, file)
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    made.environment.update(PATH=programs, **environment)
    return made


def _sender(folder: Path, broker: Broker) -> StockCollector:
    grpc, http = free_port(), free_port()
    sender = _collector(
        folder,
        "to-kafka",
        (http,),
        KAFKA_BROKER=broker.address,
        OTLP_GRPC_ENDPOINT=f"127.0.0.1:{grpc}",
        OTLP_HTTP_ENDPOINT=f"127.0.0.1:{http}",
    )
    sender.http = f"http://127.0.0.1:{http}"
    return sender


def _member(folder: Path, broker: Broker, server: FaultServer, behind: HTTPServerBehind) -> StockCollector:
    health, metrics = free_port(), free_port()
    member = _collector(
        folder,
        "from-kafka",
        (health,),
        KAFKA_BROKER=broker.address,
        HEALTH_ENDPOINT=f"127.0.0.1:{health}",
        METRICS_PORT=str(metrics),
        ARTHUR_ENDPOINT_URL=server.url,
        ARTHUR_API_KEY="k",
        ARTHUR_MODEL_ID=MODEL_ID,
        BACKEND=behind.url,
    )
    member.http = f"http://127.0.0.1:{metrics}/metrics"
    return member


def _takes_part(member: StockCollector) -> bool:
    """Whether it has taken calls from Kafka since it was started."""
    return "processor_arthur_spans_selected" in requests.get(member.http, timeout=PATIENCE).text


def test_a_group_whose_members_are_killed_under_load(tmp_path: Path) -> None:
    (tmp_path / "kafka").mkdir()
    broker = Broker(tmp_path / "kafka")
    with FaultServer() as server, HTTPServerBehind() as behind, broker:
        for topic in ("otlp_spans", "otlp_logs"):
            broker.create_topic(topic, PARTITIONS)
        sender = _sender(tmp_path / "sender", broker)
        members = [_member(tmp_path / f"member-{n}", broker, server, behind) for n in range(MEMBERS)]
        load = Load(sender.http)
        try:
            with sender:
                for member in members[:-1]:
                    member.start()
                with load.running():
                    load.goes_on()
                    members[-1].start()  # a rebalance: one member more
                    for number, member in zip(range(ROUNDS), itertools.cycle(members), strict=False):
                        eventually(lambda member=member: _takes_part(member), "its share", REBALANCE_SECONDS)
                        load.goes_on()
                        member.stop(signal.SIGKILL)
                        load.goes_on()
                        member.start()
                        if number == ROUNDS // 2:
                            broker.stop(signal.SIGKILL)
                            load.goes_on()  # the sender's queue takes it
                            broker.start()
                    members[0].stop()  # a rebalance: one member less
                expected = {name for request in load.acknowledged for name in ids(request)[:2]}
                eventually(
                    lambda: expected <= set(server.accepted_ids),
                    f"all of {len(expected)} calls",
                    REBALANCE_SECONDS,
                )
                spans = {span.span_id for request in load.acknowledged for span in all_spans(request)}
                eventually(
                    lambda: spans <= {span for got in behind.got for span in _spans(got.body)},
                    f"all of {len(spans)} spans behind",
                    REBALANCE_SECONDS,
                )
        finally:
            for member in members:
                if member.is_running:
                    member.stop()
        presented = server.accepted_ids
        times = collections.Counter(presented)
        behind_times = collections.Counter(span for got in behind.got for span in _spans(got.body))
    # An Arthur that deduplicates keeps each id once; what it would keep is exactly what was acknowledged.
    assert set(times) >= expected
    twice = sum(count > 1 for count in times.values())
    again = sum(count > 1 for count in behind_times.values())
    print(
        f"figures: {ROUNDS} members killed, the broker once, {len(expected)} calls acknowledged, none lost, "
        f"{twice} presented to Arthur more than once; {again} of {len(behind_times)} spans behind twice"
    )


def _spans(body: bytes) -> list[bytes]:
    content = gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body
    return [span.span_id for span in all_spans(ExportTraceServiceRequest.FromString(content))]
