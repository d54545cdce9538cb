"""A spool that does not answer: another process holds its lock and stands still."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import requests

from tests.support.processes.collectors import ArthurCollector, eventually
from tests.support.servers.next_hops import HTTPServerBehind
from tests.support.spans.otlp_requests import ids, llm_request, plain_request
from tests.support.waiting import PATIENCE

PROTOBUF = {"Content-Type": "application/x-protobuf"}
BELOW_A_WRITERS_WAIT = 29
"""Seconds: fifteen times what a request waits for the spool, and less than who waits for the lock itself."""
Start = Callable[..., ArthurCollector]


@contextlib.contextmanager
def held(folder: Path) -> Iterator[None]:
    """The spool's lock, as a process has it that was stopped at the wrong moment."""
    connection = sqlite3.connect(folder / "spool.db", isolation_level=None, timeout=10)
    connection.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


def post(collector: ArthurCollector, request: Any, timeout: float = PATIENCE) -> int:
    body = request.SerializeToString()
    url = f"{collector.http}/v1/traces"
    return requests.post(url, body, headers=PROTOBUF, timeout=timeout).status_code


def test_requests_go_on_beside_a_spool_that_stands_still(
    collector: Start, account: Any, model_id: str, tmp_path: Path
) -> None:
    first, second = llm_request(2), llm_request(3)
    with HTTPServerBehind() as behind:
        ours = collector(forward=f"{{endpoint: '{behind.url}'}}")
        assert post(ours, first) == 200
        with held(tmp_path / "spool-collector"):
            assert post(ours, second) == 200
            # More of them than there are threads for the spool: what only passes through waits for none.
            for _ in range(8):
                post(ours, llm_request())
            assert post(ours, plain_request(2000), BELOW_A_WRITERS_WAIT) == 200
        assert len(behind.got) == 11
        eventually(
            lambda: "otelcol_arthur_calls_not_durable" in ours.metrics(), "what was not durable is counted"
        )
        ours.stop()
        # What came back from memory late waits on disk for the next run.
        collector(forward=f"{{endpoint: '{behind.url}'}}")
        eventually(
            lambda: {*ids(first), *ids(second)} <= set(account.inferences(model_id)), "every call arrived"
        )


def test_a_request_is_refused_where_its_calls_must_be_kept(
    collector: Start, account: Any, model_id: str, tmp_path: Path
) -> None:
    request, later = llm_request(2), llm_request(3)
    with HTTPServerBehind() as behind:
        spool = "{directory: ./spool-collector, on_full: refuse}"
        # What memory holds must not be with Arthur before it is sent again.
        arthur = (
            f"{{endpoint: '{account.url}', api_key: '${{env:KEY}}', duplicate_window: 600s, "
            f"models: [{{model_id: '{model_id}'}}]}}"
        )
        ours = collector(forward=f"{{endpoint: '{behind.url}'}}", spool=spool, arthur=arthur)
        assert post(ours, plain_request()) == 200
        with held(tmp_path / "spool-collector"):
            assert post(ours, request) == 503
            assert post(ours, plain_request()) == 200
            # The spool is left alone then: its calls are in memory at once.
            ready = f"http://{ours.addresses['health']}/readyz"
            eventually(
                lambda: requests.get(ready, timeout=PATIENCE).status_code == 503, "the disk's trouble is said"
            )
            assert [post(ours, one) for one in (later, request, later)] == [503] * 3
        assert len(behind.got) == 2
        for one in (request, later):
            eventually(lambda one=one: post(ours, one) == 200, "the spool is tried again")
        ours.stop()
    assert set(account.inferences(model_id)) == {*ids(request), *ids(later)}
