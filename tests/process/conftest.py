"""What the tests of ends share: Arthur, and how a program is told of it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.servers.fault_server import MODEL_ID, FaultServer
from tests.support.waiting import PATIENCE


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with FaultServer() as running:
        yield running


@pytest.fixture
def environ(server: FaultServer, tmp_path: Path) -> dict[str, str]:
    """For a program that records, and waits for Arthur with the patience of a test."""
    calls = tmp_path / "calls"
    calls.touch()
    return {
        **os.environ,
        "CALLS": str(calls),
        "ENDS_IDLE_SECONDS": str(PATIENCE),
        "OTEL_EXPORTER_ARTHUR_EXIT_TIMEOUT": str(PATIENCE),
        "OTEL_EXPORTER_ARTHUR_ENDPOINT": server.url,
        "OTEL_EXPORTER_ARTHUR_API_KEY": "k",
        "OTEL_EXPORTER_ARTHUR_MODEL_ID": MODEL_ID,
        "OTEL_EXPORTER_ARTHUR_SPOOL_DIR": str(tmp_path / "spool"),
    }
