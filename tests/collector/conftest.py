"""Local Arthur with a model, and collectors in front of it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import stock_collector
from click.testing import CliRunner
from processes import ArthurCollector

from otel_arthur.cli import cli
from otel_arthur.local import LocalArthur


class Account:
    """A local Arthur, and what is asked of it."""

    def __init__(self, arthur: LocalArthur) -> None:
        self.arthur = arthur

    @property
    def url(self) -> str:
        return self.arthur.url

    @property
    def api_key(self) -> str:
        return self.arthur.api_key

    def onboard(self, name: str) -> str:
        """A new model's id, by the documented command."""
        environment = {
            "OTEL_EXPORTER_ARTHUR_ENDPOINT": self.url,
            "OTEL_EXPORTER_ARTHUR_API_KEY": self.api_key,
        }
        done = CliRunner(env=environment).invoke(cli, ["onboard", name])
        assert done.exit_code == 0, done.output
        return done.stdout.strip()

    def inferences(self, model_id: str) -> dict[str, dict[str, Any]]:
        """The data of everything that this model has, by ``partner_inference_id``."""
        page = self.arthur.store.inferences(model_id, limit=100_000)
        return {row.partner_inference_id: row.inference_data for row in page.inferences}

    def count(self, model_id: str) -> int:
        """How many inferences this model has."""
        return self.arthur.store.count(model_id)


@pytest.fixture
def account() -> Iterator[Account]:
    with LocalArthur() as arthur:
        yield Account(arthur)


@pytest.fixture
def model_id(account: Account) -> str:
    return account.onboard("support-bot")


@pytest.fixture
def collector(account: Account, model_id: str, tmp_path: Path) -> Iterator[Callable[..., ArthurCollector]]:
    """Starts collectors with a few lines of YAML beside those that every test needs."""
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
            "service": "{drain_seconds: 10}",
            **replaced,
        }
        yaml = "".join(f"{key}: {value}\n" for key, value in sections.items()) + extra
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
