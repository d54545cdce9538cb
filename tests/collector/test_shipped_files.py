"""The files in ``collector/``: none is left out of the tests, and those around Kafka are valid."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import orjson
import pytest

from tests.support.environments import stock_collector
from tests.support.paths import ROOT
from tests.support.waiting import PATIENCE

FOLDER = ROOT / "collector"
WITH_KAFKA = ("otelcol-to-kafka.yaml", "otelcol-from-kafka.yaml")


@pytest.mark.collector
@pytest.mark.slow
@pytest.mark.timeout(900)  # where the Collector has to be built first
@pytest.mark.usefixtures("stock")
@pytest.mark.parametrize("name", WITH_KAFKA)
def test_configurations_around_kafka_are_valid(name: str, tmp_path: Path) -> None:
    """`make faults` starts them, beside a Kafka."""
    queue = tmp_path / "queue"
    queue.mkdir()
    done = subprocess.run(
        [stock_collector.program(), "validate", f"--config={FOLDER / name}"],
        env={**os.environ, "ARTHUR_API_KEY": "k", "ARTHUR_MODEL_ID": "1", "QUEUE_DIRECTORY": str(queue)},
        cwd=tmp_path,
        capture_output=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()


def test_no_configuration_is_left_out() -> None:
    """The others are started, by `test_stock_topologies.py`."""
    files = {path.name for path in FOLDER.glob("*.yaml")}
    started = {f"otelcol-{name}.yaml" for name in ("agent", "gateway", "processor", "round-trip", "backend")}
    assert files == {"arthur.yaml", "builder-config.yaml", *started, *WITH_KAFKA}
    span = orjson.loads((FOLDER / "llm-span.json").read_bytes())
    assert span["resourceSpans"]
