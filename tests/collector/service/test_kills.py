"""kill -9 of the collector at random moments: each call that was acknowledged arrives, under its own id."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from tests.support.processes.collectors import ArthurCollector
from tests.support.servers.fault_server import MODEL_ID, FaultServer
from tests.support.spans.otlp_requests import ids, llm_request
from tests.support.waiting import PATIENCE, eventually

ROUNDS = int(os.environ.get("KILL_ROUNDS", "3"))


@pytest.mark.timeout(300 + 30 * ROUNDS)
def test_a_collector_killed_at_random_moments_many_times(
    collector: Callable[..., ArthurCollector], tmp_path: Path
) -> None:
    chance = random.Random(seed := random.randrange(2**32))
    print("seed", seed)
    acknowledged: set[str] = set()
    with FaultServer() as server:
        target = f"{{endpoint: '{server.url}', api_key: k, models: [{{model_id: '{MODEL_ID}'}}]}}"
        ours = collector(arthur=target)
        for number in range(ROUNDS):
            if number:
                ours.start()
            taken = threading.Event()
            sender = threading.Thread(target=send, args=(ours.http, acknowledged, taken))
            sender.start()
            assert taken.wait(PATIENCE)
            sender.join(chance.uniform(0.0, 0.3))
            ours.stop(signal.SIGKILL)
            sender.join(PATIENCE)
        ours.start()
        eventually(lambda: acknowledged <= set(server.accepted_ids), "what was acknowledged")
        assert ours.stop() == 0
        presented = server.accepted_ids
    told = f"{len(acknowledged)} calls acknowledged, none lost, {len(presented)} presented"
    print(f"figures: {ROUNDS} kills, {told}")


def send(url: str, acknowledged: set[str], taken: threading.Event) -> None:
    """Requests of a few calls, one after the other, until the collector is gone."""
    while True:
        request = llm_request(3)
        try:
            answer = requests.post(
                f"{url}/v1/traces",
                data=request.SerializeToString(),
                headers={"Content-Type": "application/x-protobuf"},
                timeout=PATIENCE,
            )
        except requests.RequestException:
            return
        if answer.status_code == 200:
            acknowledged.update(ids(request))
            taken.set()
