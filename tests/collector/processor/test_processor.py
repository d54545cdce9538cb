"""The processor in a Collector that was built from ``collector/builder-config.yaml``."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
import requests
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.collector.processor.conftest import Make
from tests.support.environments import stock_collector
from tests.support.processes.cores import Core
from tests.support.servers.account import Account
from tests.support.servers.next_hops import HTTPServerBehind
from tests.support.spans.otlp_requests import all_spans, ids, llm_request, log_request, plain_request
from tests.support.waiting import PATIENCE, eventually

pytestmark = [pytest.mark.collector, pytest.mark.slow, pytest.mark.timeout(900)]

PROTOBUF = {"Content-Type": "application/x-protobuf"}


def post(url: str, request: Any, signal_name: str = "traces") -> int:
    body = request.SerializeToString()
    return requests.post(f"{url}/v1/{signal_name}", body, headers=PROTOBUF, timeout=PATIENCE).status_code


def stamps(behind: HTTPServerBehind) -> dict[bytes, str]:
    """Span id -> the inference's id that was stamped onto it."""
    return {
        span.span_id: attribute.value.string_value
        for got in behind.got
        if got.path == "/v1/traces"
        for span in all_spans(ExportTraceServiceRequest.FromString(got.body))
        for attribute in span.attributes
        if attribute.key == "arthur.inference.id"
    }


def test_stamps_metrics_and_logs(
    make: Make, account: Account, model_id: str, behind: HTTPServerBehind
) -> None:
    collector = make(stamp=True, arthur={"duplicate_window": 0})
    calls = llm_request(2)
    calls.MergeFrom(plain_request(2))
    with collector:
        # A core that is late lets a request go on unstamped; to send it again is harmless.
        eventually(lambda: post(collector.http, calls) == 200 and len(stamps(behind)) == 2, "two stamps")
        assert post(collector.http, log_request(), "logs") == 200
        eventually(lambda: account.count(model_id) == 2, "two inferences")
        eventually(lambda: collector.metrics().get("sent") == 2, "the core's counters as the Collector's")
        counts = collector.metrics()
    assert stamps(behind) == {
        span.span_id: name for span, name in zip(all_spans(calls)[:2], ids(calls)[:2], strict=True)
    }
    assert min(counts["spans_selected"], counts['calls{outcome="taken"}']) >= 2
    assert (counts["core_up"], counts["core_starts"]) == (1, 1)
    assert "log_records_selected" not in counts
    lines = [line for line in collector.log().splitlines() if "otel_arthur.collector" in line]
    assert any("\tinfo\tready" in line for line in lines)
    assert not collector.processes()


def test_core_that_stands_still(make: Make, behind: HTTPServerBehind) -> None:
    """`pass` lets everything go on and counts; `refuse` lets nothing go on that it must answer for."""
    passing, refusing = make(), make(on_failure="refuse")
    with passing, refusing:
        stopped = [pid for collector in (passing, refusing) for pid in collector.pids("core")]
        assert len(stopped) == 2
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        assert post(passing.http, llm_request(2)) == 200
        assert len(behind.got) == 1
        assert post(refusing.http, llm_request(2)) == 503
        assert post(refusing.http, plain_request(2)) == 200
        assert len(behind.got) == 2
        # The core counts as well, so the page is asked for when it runs again.
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
        assert passing.metrics()['spans_not_taken{reason="core late"}'] == 2


def test_core_beside_the_collector(
    make: Make, account: Account, model_id: str, tmp_path: Path, behind: HTTPServerBehind
) -> None:
    arthur = {"endpoint": account.url, "api_key": account.api_key, "models": [{"model_id": model_id}]}
    core = Core(tmp_path, {"arthur": {**arthur, "duplicate_window": 0}, "spool": {"directory": "./spool"}})
    collector = make(core={"endpoint": f"unix://{core.path}"}, on_failure="refuse")
    calls = llm_request(2)
    with collector:
        assert not collector.pids("core")
        assert post(collector.http, calls) == 503
        core.beside()
        try:
            eventually(lambda: post(collector.http, calls) == 200, "a request that the core takes")
            eventually(lambda: set(account.inferences(model_id)) == set(ids(calls)), "two inferences")
        finally:
            core.stop()
    assert len(behind.got) == 1


@pytest.mark.parametrize(
    ("processor", "says"),
    [
        ({"spool": {"directory": "x", "on_full": "pass"}}, "on_failure: pass or refuse"),
        ({"arthur": {"modles": []}}, 'has no key "modles"'),
        ({"arthur": {"redact": "nonsense.function"}}, "arthur.redact"),
        ({"core": {"command": ["/nonexistent/otel-arthur"]}}, "the core cannot be started"),
    ],
)
def test_wrong_configuration_is_said(make: Make, processor: dict[str, Any], says: str) -> None:
    collector = make(**processor)
    done = subprocess.run(
        [stock_collector.program(), "--config", collector.folder / "otelcol.yaml"],
        env={**os.environ, **collector.environment},
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 1
    assert says in done.stderr.decode()
    assert collector.environment["ARTHUR_API_KEY"] not in done.stderr.decode()
    assert not collector.processes()


def test_the_promised_keys_are_valid(stock: None, tmp_path: Path) -> None:
    """The configuration that the documentation shows, as it stands there."""
    readme = (stock_collector.PROCESSOR / "README.md").read_text()
    example = readme.split("```yaml\n")[1].split("```")[0]
    path = tmp_path / "otelcol.yaml"
    path.write_text(
        "receivers: {otlp: {protocols: {http: {}}}}\nprocessors: {batch: {}}\n"
        "exporters: {otlp_http: {endpoint: 'http://127.0.0.1:4318'}}\n"
    )
    keys = {"ARTHUR_API_KEY": "k", "ARTHUR_ENGINE_KEY": "e"}
    second = tmp_path / "arthur.yaml"
    second.write_text(example)
    done = subprocess.run(
        [stock_collector.program(), "validate", f"--config={path}", f"--config={second}"],
        env={**os.environ, **keys},
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()


def test_contract_of_both_sides() -> None:
    """The file that the processor is built with is what the dialects and settings say today."""
    from otel_arthur.collector.core.contract import as_file, contract

    path = stock_collector.PROCESSOR / "internal" / "contract" / "contract.json"
    anew = f"python -m otel_arthur.collector.core.contract > {path}"
    assert json.loads(path.read_text()) == contract(), anew
    assert path.read_text() == as_file(), anew


@pytest.mark.parametrize("command", [("go", "vet", "./..."), ("go", "test", "./...")])
def test_go_module(stock: None, command: tuple[str, ...]) -> None:
    stock_collector.run(*command, folder=stock_collector.PROCESSOR)
