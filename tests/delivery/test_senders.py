"""The delivery's senders while there is little to send."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from otel_arthur.delivery import Delivery, workers
from tests.support.servers.fault_server import FaultServer
from tests.support.spans.llm_calls import llm_calls
from tests.support.waiting import PATIENCE, eventually


def test_idle_senders_do_not_wake_one_another(
    server: FaultServer, deliver: Callable[..., Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    turns: list[int] = []
    work = workers.Workers.work
    monkeypatch.setattr(workers.Workers, "work", lambda ours: turns.append(1) or work(ours))
    delivery = deliver(duplicate_window=60.0)
    for _ in range(4):
        delivery.submit(llm_calls(600))
        assert delivery.flush(PATIENCE)
    delivery.submit(llm_calls(5))
    before = len(turns)
    time.sleep(1.0)
    # Three threads that look twice each at most; a circle of wake-ups makes thousands.
    assert len(turns) - before < 30


def test_one_idle_sender_looks_for_all(
    server: FaultServer, deliver: Callable[..., Delivery], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "IDLE_SECONDS", PATIENCE)
    delivery = deliver()
    for _ in range(4):
        delivery.submit(llm_calls(600))
        assert delivery.flush(PATIENCE)
    senders = delivery._run.workers

    def are_idle() -> bool:
        return senders._idle == len(senders._threads) and not senders._is_asked

    eventually(are_idle, "idle senders")
    looks: list[int] = []
    work = senders.work
    monkeypatch.setattr(senders, "work", lambda: looks.append(1) or work())
    delivery.submit(llm_calls(1))
    eventually(lambda: len(server.accepted_ids) == 2401 and are_idle(), "the call")
    # One sends what it has found. Another looks meanwhile.
    assert len(looks) == 2
