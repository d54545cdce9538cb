"""Processes that share a spool: one that ends is answerable for what it has begun to send for another.

The other one does not wait for that, and may have ended already.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from otel_arthur.configuration import Configuration
from otel_arthur.delivery import Delivery, patience
from otel_arthur.spool.fallback.backed import BackedSpool
from tests.support.paths import ROOT
from tests.support.processes.running import finished
from tests.support.servers.fault_behaviours import delay, status
from tests.support.servers.fault_exchange import Behaviour
from tests.support.servers.fault_server import MODEL_ID, FaultServer
from tests.support.waiting import PATIENCE


def record_and_die(server: FaultServer, spool: Path) -> None:
    """Another process puts eight calls into the spool, and is killed before it sends them."""
    environ = {
        **os.environ,
        "OTEL_EXPORTER_ARTHUR_ENDPOINT": server.url,
        "OTEL_EXPORTER_ARTHUR_API_KEY": "k",
        "OTEL_EXPORTER_ARTHUR_ORGANIZATION_ID": "o",
        "OTEL_EXPORTER_ARTHUR_MODEL_ID": MODEL_ID,
        "OTEL_EXPORTER_ARTHUR_SPOOL_DIR": str(spool),
        "OTEL_EXPORTER_ARTHUR_DUPLICATE_WINDOW": "0",
    }
    command = [sys.executable, "-m", "tests.support.processes.application", "die before sending", "8"]
    done = finished(command, env=environ, cwd=ROOT)
    assert len(done.stdout.split()) == 8, done.stderr


@pytest.mark.parametrize("answer", ["accepts", "fails"])
def test_calls_of_another_process_that_it_has_begun_to_send(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, answer: str
) -> None:
    monkeypatch.setattr(patience, "IDLE_SECONDS", PATIENCE)
    then: Behaviour = delay(0.5) if answer == "accepts" else delay(0.5, status(503))
    with FaultServer() as server:
        server.always(then)
        configuration = Configuration(
            endpoint=server.url,
            api_key="k",
            organization_id="o",
            model_id=MODEL_ID,
            spool_dir=tmp_path / "spool",
            timeout=PATIENCE,
            duplicate_window=0.0,
        )
        delivery = Delivery(configuration, metrics=False)
        delivery.start()
        newest = BackedSpool.last_number

        def as_the_end_begins(spool: BackedSpool) -> int:
            """They come just after it was decided what this end waits for."""
            number = newest(spool)
            if not server.requests:
                record_and_die(server, tmp_path / "spool")
                delivery.start()
                delivery._run.workers.wake()
                assert server.wait_for_requests(2, PATIENCE)
            return number

        monkeypatch.setattr(BackedSpool, "last_number", as_the_end_begins)
        assert delivery.shutdown(PATIENCE) is (answer == "accepts")
        waiting = sum(one.waiting for one in delivery._spool.status().destinations)
        assert len(server.accepted_ids) + waiting == 8
    said = [record.getMessage() for record in caplog.records if "not sent" in record.getMessage()]
    assert len(said) == (answer == "fails"), said
    assert waiting == (8 if answer == "fails" else 0)
