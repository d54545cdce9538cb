"""Every rule of an OTLP server, kept by us; and where the stock Collector differs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from otel_arthur.local import LocalArthur
from tests.collector.conformance import RULES, Server, broken_rules
from tests.support.paths import ROOT
from tests.support.processes.collectors import ArthurCollector, StockCollector
from tests.support.servers.ports import free_port
from tests.support.waiting import PATIENCE

STOCK_LIMIT = 20 * 1024 * 1024
"""The stock receiver's default for HTTP bodies."""


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Server]]:
    """A collector that answers itself, and one with another behind it, over each transport."""
    folder = tmp_path_factory.mktemp("conformance")
    with LocalArthur() as arthur:
        common = (
            f"arthur: {{endpoint: '{arthur.url}', api_key: k, models: [{{model_id: none}}]}}\n"
            "receivers: {otlp: {grpc: {endpoint: '127.0.0.1:0'}, http: {endpoint: '127.0.0.1:0'}}}\n"
            "service: {drain_seconds: 2}\n"
            f"limits: {{request_timeout: {PATIENCE:g}s}}\n"
        )
        with ArthurCollector(folder, f"{common}spool: {{directory: ./end}}\n", "end") as end:
            servers = {"end": Server(end.http, end.grpc)}
            hops = {"http": end.http, "grpc": f"grpc://{end.grpc}"}
            started = []
            for name, endpoint in hops.items():
                yaml = f"{common}spool: {{directory: ./{name}}}\n"
                yaml += f"forward: {{endpoint: '{endpoint}', timeout: {PATIENCE:g}s}}\n"
                started.append(ArthurCollector(folder, yaml, name).start())
                servers[name] = Server(started[-1].http, started[-1].grpc)
            yield servers
            for process in started:
                assert process.stop() == 0


@pytest.mark.parametrize("way", ["end", "http", "grpc"])
@pytest.mark.parametrize("name", list(RULES))
def test_rule(ours: dict[str, Server], way: str, name: str) -> None:
    """Alone, and as a pass-through to another over HTTP and over gRPC."""
    RULES[name](ours[way])


@pytest.mark.collector
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_differences_to_the_stock_collector_are_documented(
    stock: None, tmp_path: Path, collector: Callable[..., ArthurCollector]
) -> None:
    """The documentation lists exactly the rules that the stock Collector breaks."""
    http, grpc = free_port(), free_port()
    configuration = f"""
receivers:
  otlp:
    protocols: {{http: {{endpoint: "127.0.0.1:{http}"}}, grpc: {{endpoint: "127.0.0.1:{grpc}"}}}}
exporters: {{debug: {{}}}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    traces: {{receivers: [otlp], exporters: [debug]}}
    logs: {{receivers: [otlp], exporters: [debug]}}
    metrics: {{receivers: [otlp], exporters: [debug]}}
"""
    with StockCollector(tmp_path, configuration, (http, grpc)):
        broken = broken_rules(Server(f"http://127.0.0.1:{http}", f"127.0.0.1:{grpc}", STOCK_LIMIT))
    text = (ROOT / "docs" / "collector.md").read_text(encoding="utf-8")
    section = text.split("## Where the stock Collector differs")[1].split("\n## ")[0]
    documented = {name for name in RULES if f"`{name}`" in section}
    assert set(broken) == documented, "\n".join(f"{name}: {found}" for name, found in broken.items())
