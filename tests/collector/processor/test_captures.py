"""Everything that was recorded, through a Collector with the processor: nothing is lost on either way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_arthur import ArthurLogExporter, ArthurSpanExporter
from tests.collector.processor.conftest import Make
from tests.support.paths import CAPTURES
from tests.support.servers.account import Account
from tests.support.servers.next_hops import HTTPServerBehind
from tests.support.spans.readable import readable_spans
from tests.support.spans.readable_logs import readable_logs
from tests.support.waiting import PATIENCE, eventually

pytestmark = [pytest.mark.collector, pytest.mark.slow, pytest.mark.timeout(900)]

PROTOBUF = {"Content-Type": "application/x-protobuf"}


def captures() -> Iterator[tuple[str, bytes]]:
    """Signal and content of each recorded request; what was logged follows its spans."""
    for spans in sorted(CAPTURES.glob("*/*/*.pb")):
        if spans.name.endswith(".logs.pb"):
            continue
        yield "traces", spans.read_bytes()
        logs = spans.with_suffix(".logs.pb")
        if logs.exists():
            yield "logs", logs.read_bytes()


def exported(account: Account, model_id: str, spool: Path) -> dict[str, dict[str, Any]]:
    """What becomes of the captures where an application exports them."""
    settings: dict[str, Any] = {
        "endpoint": account.url,
        "api_key": account.api_key,
        "model_id": model_id,
        "spool_dir": spool,
        "duplicate_window": 5,
    }
    spans, logs = ArthurSpanExporter(**settings), ArthurLogExporter(**settings)
    for signal_name, content in captures():
        if signal_name == "traces":
            spans.export(list(readable_spans(ExportTraceServiceRequest.FromString(content))))
        else:
            logs.export(list(readable_logs(ExportLogsServiceRequest.FromString(content))))
    logs.shutdown()
    spans.shutdown()
    return account.inferences(model_id)


def _is_taken(session: requests.Session, url: str, content: bytes) -> bool:
    return session.post(url, content, headers=PROTOBUF, timeout=PATIENCE).status_code == 200


def test_same_inferences_and_same_bytes(
    make: Make, account: Account, model_id: str, behind: HTTPServerBehind, tmp_path: Path
) -> None:
    with HTTPServerBehind() as plain:
        collector = make(on_failure="refuse", arthur={"duplicate_window": 5})
        collector.environment["BEHIND_PLAIN"] = plain.url
        session = requests.Session()
        with collector:
            for signal_name, content in captures():
                for way in (collector.http, collector.plain):
                    url = f"{way}/v1/{signal_name}"
                    # A sender tries again what is refused, as on a machine that is too busy for the spool.
                    eventually(lambda url=url, content=content: _is_taken(session, url, content), url)
            expected = exported(account, account.onboard("exporter"), tmp_path / "exporter")
            assert len(expected) > 400
            eventually(lambda: account.count(model_id) >= len(expected), f"{len(expected)} inferences")
            assert not [name for name in collector.metrics() if "not_taken" in name]
        assert [got.body for got in behind.got] == [got.body for got in plain.got]
    assert account.inferences(model_id) == expected
