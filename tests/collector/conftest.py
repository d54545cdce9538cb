"""Local Arthur with a model, and collectors in front of it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from otel_arthur.local import LocalArthur
from tests.support.environments import stock_collector
from tests.support.processes.collectors import ArthurCollector
from tests.support.servers.account import Account
from tests.support.servers.ports import free_port
from tests.support.waiting import PATIENCE


@pytest.fixture
def account() -> Iterator[Account]:
    with LocalArthur(port=free_port()) as arthur:
        yield Account(arthur)


@pytest.fixture
def model_id(account: Account) -> str:
    return account.onboard("support-bot")


@pytest.fixture
def collector(account: Account, model_id: str, tmp_path: Path) -> Iterator[Callable[..., ArthurCollector]]:
    """Starts collectors with a few lines of YAML beside those that every test needs.

    Where a test says nothing of time they have all of it: the next hop may be slow on a busy machine.
    """
    started: list[ArthurCollector] = []

    def start(extra: str = "", name: str = "collector", **replaced: str) -> ArthurCollector:
        sections = {
            "receivers": "{otlp: {grpc: {endpoint: '127.0.0.1:0'}, http: {endpoint: '127.0.0.1:0'}}}",
            "arthur": (
                f"{{endpoint: '{account.url}', api_key: '${{env:KEY}}', "
                f"models: [{{model_id: '{model_id}'}}]}}"
            ),
            "spool": f"{{directory: ./spool-{name}}}",
            "health": "{endpoint: '127.0.0.1:0'}",
            "metrics": "{endpoint: '127.0.0.1:0'}",
            "service": f"{{drain_seconds: {PATIENCE:g}}}",
            "limits": f"{{request_timeout: {PATIENCE:g}s}}",
            **replaced,
        }
        if "timeout" not in (forward := sections.get("forward", "timeout")):
            sections["forward"] = f"{forward[:-1]}, timeout: {PATIENCE:g}s}}"
        yaml = "".join(f"{key}: {value}\n" for key, value in sections.items() if value) + extra
        process = ArthurCollector(tmp_path, yaml, name)
        started.append(process)
        return process.start(KEY=account.api_key)

    yield start
    for process in started:
        process.stop()


@pytest.fixture(scope="session")
def stock() -> None:
    """Skips where a stock Collector cannot be had; builds it where it was not yet."""
    try:
        reason = stock_collector.provision()
    except (subprocess.CalledProcessError, OSError) as error:
        reason = f"a stock Collector could not be built: {str(error)[:200]}"
    if reason:
        pytest.skip(reason)
