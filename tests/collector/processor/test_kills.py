"""SIGKILL under load, of the Collector, of its core, of both: what was acknowledged arrives, nothing is left.

``KILL_ROUNDS`` says how often each is killed: 10 unless it is set.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.collector.processor.conftest import Make
from tests.support.processes.processors import CollectorWithProcessor
from tests.support.servers.account import Account
from tests.support.servers.next_hops import HTTPServerBehind
from tests.support.spans.otlp_requests import all_spans, ids, llm_request, plain_request
from tests.support.waiting import eventually

pytestmark = [pytest.mark.collector, pytest.mark.slow, pytest.mark.timeout(3600)]

ROUNDS = int(os.environ.get("KILL_ROUNDS", "10"))
PROTOBUF = {"Content-Type": "application/x-protobuf"}
_SENDERS = 3
_PAUSE = 0.1
"""Seconds between two requests of a sender, and before it tries again: it is a load, not a flood."""
_FRESH = 8
"""Kills of a core until its Collector is started anew: a core that ends soon is started later each time."""


class Load:
    """Senders that try each request until it is acknowledged, as a persistent queue does."""

    def __init__(self, url: str) -> None:
        self.acknowledged: list[ExportTraceServiceRequest] = []
        self._url = f"{url}/v1/traces"
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._send, daemon=True) for _ in range(_SENDERS)]

    def _send(self) -> None:
        while not self._is_over.is_set():
            request = llm_request(2)
            request.MergeFrom(plain_request(3))
            body = request.SerializeToString()
            while not self._answered(body):
                time.sleep(_PAUSE)
                if self._is_over.is_set():
                    return
            self.acknowledged.append(request)
            time.sleep(_PAUSE)

    def _answered(self, body: bytes) -> bool:
        with contextlib.suppress(requests.RequestException):
            return requests.post(self._url, body, headers=PROTOBUF, timeout=60).status_code == 200
        return False

    def goes_on(self) -> None:
        """Wait for a few acknowledgements more."""
        target = len(self.acknowledged) + 2 * _SENDERS
        eventually(lambda: len(self.acknowledged) >= target, "requests are acknowledged")

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._is_over.set()
            for thread in self._threads:
                thread.join()


@pytest.mark.parametrize("victim", ["collector", "core", "both"])
def test_acknowledged_is_durable(
    victim: str, make: Make, account: Account, model_id: str, behind: HTTPServerBehind
) -> None:
    collector = make(on_failure="refuse", arthur={"duplicate_window": 0})
    load = Load(collector.http)
    with collector, load.running():
        for number in range(1, ROUNDS + 1):
            load.goes_on()
            kill(collector, victim)
            if victim == "core" and number % _FRESH == 0:
                collector.stop()
                collector.start()
    assert not collector.processes()
    # What the last core had not sent yet waits in the spool for the next one.
    collector.start()
    expected = {name for request in load.acknowledged for name in ids(request)[:2]}
    eventually(lambda: expected <= set(account.inferences(model_id)), f"all of {len(expected)} calls")
    collector.stop()
    # A Collector that is told to end while it starts dies at once, and its core by itself.
    eventually(lambda: not collector.processes(), "no process that is left")
    passed = {span.span_id for got in behind.got for span in all_spans(_request(got.body))}
    assert {span.span_id for request in load.acknowledged for span in all_spans(request)} <= passed
    told = f"{len(expected)} calls acknowledged, none lost, no process left"
    print(f"figures: {victim}: {ROUNDS} kills, {told}")


def kill(collector: CollectorWithProcessor, victim: str) -> None:
    """SIGKILL, and a new start of a Collector that was killed; a core is started by its Collector."""
    before = collector.processes()
    victims = [pid for pid, kind in before.items() if victim in (kind, "both")]
    for pid in victims:
        os.kill(pid, signal.SIGKILL)
    if victim == "core":
        eventually(lambda: set(collector.pids("core")) - set(before), "another core")
        return
    collector.stop(signal.SIGKILL)
    eventually(lambda: not set(collector.processes()) & set(before), "the end of all that were there")
    collector.start()


def _request(body: bytes) -> ExportTraceServiceRequest:
    return ExportTraceServiceRequest.FromString(body)


def test_core_that_is_killed_costs_no_call_of_a_pipeline_that_passes(
    make: Make, account: Account, model_id: str
) -> None:
    """With `pass` too: a request waits for a core that restarts, and is sent to it again."""
    collector = make(arthur={"duplicate_window": 0})
    load = Load(collector.http)
    with collector:
        with load.running():
            for _ in range(2):
                load.goes_on()
                kill(collector, "core")
            load.goes_on()
        counts = collector.metrics()
    missed = sum(value for name, value in counts.items() if name.startswith("spans_not_taken"))
    assert counts["core_starts"] == 3
    collector.start()
    calls = {name for request in load.acknowledged for name in ids(request)[:2]}
    # What Arthur did not get is counted: a machine may be too busy to start a core within two seconds.
    eventually(
        lambda: len(calls - set(account.inferences(model_id))) <= missed, "every call but those counted"
    )


def test_spool_is_shared_by_two_processors(
    make: Make, account: Account, model_id: str, tmp_path: Path
) -> None:
    """Two cores on one spool are safe: each call arrives, once."""
    spool = {"directory": str(tmp_path / "one-spool")}
    first, second = (make(spool=spool, arthur={"duplicate_window": 0}) for _ in range(2))
    requests_ = [llm_request(2) for _ in range(20)]
    with first, second:
        for request in requests_:
            for collector in (first, second):
                requests.post(
                    f"{collector.http}/v1/traces", request.SerializeToString(), headers=PROTOBUF, timeout=60
                )
        expected = {name for request in requests_ for name in ids(request)}
        eventually(lambda: set(account.inferences(model_id)) == expected, "every call")
