"""Calls, deliveries and servers that the delivery's tests share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from otel_arthur.cli.commands import spool
from otel_arthur.configuration import Configuration
from otel_arthur.delivery import Delivery
from tests.support.paths import ROOT
from tests.support.servers.faces import V3, Face
from tests.support.servers.fault_server import MODEL_ID, FaultServer


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        yield running


@pytest.fixture
def spool_dir(tmp_path: Path) -> Path:
    return tmp_path / "the-spool"


@pytest.fixture
def face() -> Face:
    """Which of Arthur's faces is spoken to."""
    return V3


@pytest.fixture
def configured(server: FaultServer, face: Face, spool_dir: Path) -> Callable[..., Configuration]:
    """A configuration for the server and the spool; arguments win."""

    def configure(**settings: Any) -> Configuration:
        given = {"spool_dir": spool_dir, "timeout": 60.0, "duplicate_window": 0.0}
        return Configuration(**{**face.arguments(server.url), **given, **settings})

    return configure


@pytest.fixture
def environ(server: FaultServer, face: Face, spool_dir: Path) -> dict[str, str]:
    """A program's, with the same configuration by variables."""
    return {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        **face.variables(server.url),
        "OTEL_EXPORTER_ARTHUR_SPOOL_DIR": str(spool_dir),
        "OTEL_EXPORTER_ARTHUR_DUPLICATE_WINDOW": "0",
    }


@pytest.fixture
def deliver(configured: Callable[..., Configuration]) -> Iterator[Callable[..., Delivery]]:
    """Deliveries that are shut down at the end of the test."""
    made: list[Delivery] = []

    def build(**settings: Any) -> Delivery:
        delivery = Delivery(configured(**settings))
        made.append(delivery)
        return delivery

    yield build
    for delivery in made:
        delivery.shutdown(0.2)


@pytest.fixture
def invoke(server: FaultServer, spool_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs a command (by default `otel-arthur spool`) with the same configuration by variables."""
    settings = {
        "ENDPOINT": server.url,
        "API_KEY": "k",
        "ORGANIZATION_ID": "o",
        "MODEL_ID": MODEL_ID,
        "SPOOL_DIR": str(spool_dir),
    }
    for name, value in settings.items():
        monkeypatch.setenv(f"OTEL_EXPORTER_ARTHUR_{name}", value)

    def run(*arguments: str, command: Any = spool.command, **options: Any) -> Result:
        return CliRunner().invoke(command, list(arguments), **options)

    return run
