"""Many machines: a Collector that balances in front of two with the processor."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
import requests

from tests.collector.test_stock_topologies import Topology, pair_of_records, send
from tests.support.processes.collectors import running
from tests.support.servers.account import Account
from tests.support.servers.ports import free_port
from tests.support.spans.otlp_requests import all_spans
from tests.support.waiting import eventually

pytestmark = [
    pytest.mark.collector,
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.usefixtures("stock"),
]


@pytest.mark.parametrize("routing_key", ["traceID", "service"])
def test_two_records_of_a_call_meet_at_one_core(
    tmp_path: Path, account: Account, model_id: str, routing_key: str
) -> None:
    programs = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    behind, metrics = [], []
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        metrics.append(free_port())
        behind.append(
            Topology(tmp_path / name, account, model_id).stock(
                "processor",
                PATH=programs,
                ARTHUR_ENDPOINT_URL=account.url,
                ARTHUR_API_KEY=account.api_key,
                ARTHUR_MODEL_ID=model_id,
                ARTHUR_SPOOL=str(tmp_path / name / "spool"),
                METRICS_PORT=str(metrics[-1]),
            )
        )
    pairs = [pair_of_records(f"service-{number}", routing_key) for number in range(12)]
    (tmp_path / "gateway").mkdir()
    with running(*behind):
        gateway = Topology(tmp_path / "gateway", account, model_id).stock(
            "gateway",
            ARTHUR_COLLECTOR_1=behind[0].environment["OTLP_GRPC_ENDPOINT"],
            ARTHUR_COLLECTOR_2=behind[1].environment["OTLP_GRPC_ENDPOINT"],
            LB_ROUTING_KEY=routing_key,
        )
        with gateway:
            for pair in pairs:
                for record in pair:
                    send(gateway.http, record)
        # Which one a key goes to is the ring's affair; both taking part shows that there is one.
        for port in metrics:
            page = f"http://127.0.0.1:{port}/metrics"
            eventually(lambda page=page: "arthur_spans_selected" in requests.get(page, timeout=60).text, page)
        eventually(lambda: account.count(model_id) >= len(pairs), "an inference of each pair")
    assert account.count(model_id) == len(pairs)
    spans = {span.span_id for pair in pairs for record in pair for span in all_spans(record)}
    written = {
        span.span_id
        for name in ("first", "second")
        for request in Topology(tmp_path / name, account, model_id).written("processor")
        for span in all_spans(request)
    }
    assert written == spans
