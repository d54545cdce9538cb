"""A delivery that is shut down: it ends in time, keeps what is left, and sends nothing any more."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from otel_arthur.delivery import Delivery
from tests.support.paths import ROOT
from tests.support.processes.running import finished
from tests.support.processes.threads import wait_for_senders
from tests.support.servers.fault_behaviours import accept, hold, status
from tests.support.servers.fault_exchange import Behaviour, Request
from tests.support.servers.fault_server import MODEL_ID, ROWS, FaultServer
from tests.support.spans.llm_calls import ids_of, llm_calls
from tests.support.waiting import PATIENCE

SCHEMA = f"/models/{MODEL_ID}"
"""The path that is asked before the first row of a model is sent."""


def path_of(request: Request) -> str:
    return request.path.partition("?")[0].removeprefix("/api/v3")


@pytest.mark.parametrize(
    ("settings", "on", "then", "requests"),
    [
        ({}, SCHEMA, accept(), [SCHEMA]),
        ({"api_key": None, "login": "me", "password": "p"}, "/login", accept(), ["/login"]),
        ({}, ROWS, status(413), [SCHEMA, f"{SCHEMA}{ROWS[0]}"]),
    ],
    ids=["the schema was asked for", "a login was under way", "the first half is still to be sent"],
)
def test_nothing_is_sent_after_shutdown(
    server: FaultServer,
    deliver: Callable[..., Delivery],
    settings: dict[str, Any],
    on: str,
    then: Behaviour,
    requests: list[str],
) -> None:
    answer = threading.Event()
    server.script(hold(answer, then), on=on)
    delivery = deliver(timeout=60.0, **settings)
    delivery.submit(llm_calls(8))
    assert server.wait_for_requests(len(requests), PATIENCE)
    assert not delivery.shutdown(0.1)
    answer.set()
    wait_for_senders()
    assert [path_of(request) for request in server.requests] == requests
    assert not server.accepted_ids

    heir = deliver()
    heir.start()
    assert heir.flush(PATIENCE)
    assert len(set(server.accepted_ids)) == len(server.accepted_ids) == 8


def test_what_arthur_answers_after_shutdown_is_put_on_record(
    server: FaultServer, deliver: Callable[..., Delivery]
) -> None:
    answer = threading.Event()
    server.script(hold(answer))
    delivery = deliver(timeout=60.0)
    delivery.submit(llm_calls(8))
    assert server.wait_for_requests(2, PATIENCE)
    assert not delivery.shutdown(0.1)
    answer.set()
    wait_for_senders()
    counts = delivery.counts()
    assert (counts.sent, counts.left) == (8, 0)


def test_shutdown_is_idempotent_and_concurrent(server: FaultServer, deliver: Callable[..., Delivery]) -> None:
    delivery = deliver()
    delivery.submit(llm_calls(50))
    results: list[bool] = []
    threads = [threading.Thread(target=lambda: results.append(delivery.shutdown(10))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [True] * 4
    assert len(server.accepted_ids) == 50


def test_after_shutdown_calls_are_still_kept_on_disk(
    server: FaultServer, deliver: Callable[..., Delivery]
) -> None:
    first = deliver()
    first.shutdown(1)
    late = llm_calls(4)
    assert first.submit(late).spooled == 4
    assert not server.accepted_ids
    second = deliver()
    second.start()
    assert second.flush(PATIENCE)
    assert sorted(server.accepted_ids) == sorted(ids_of(late))


def test_shutdown_says_in_one_line_what_is_left(
    server: FaultServer, deliver: Callable[..., Delivery], caplog: pytest.LogCaptureFixture, spool_dir: Path
) -> None:
    server.always(status(503))
    delivery = deliver()
    delivery.submit(llm_calls(7))
    assert not delivery.shutdown(1)
    (line,) = [r.getMessage() for r in caplog.records if "not sent" in r.getMessage()]
    assert "7 inferences not sent" in line
    assert str(spool_dir) in line


FORK = """
import os, sys
from pathlib import Path
from otel_arthur.configuration import Configuration
from otel_arthur.delivery import Delivery
from otel_arthur.process import ends
from tests.support.spans.llm_calls import llm_calls
ends.EXIT_SECONDS = 1e6
configuration = Configuration(endpoint=sys.argv[1], model_id="m", spool_dir=Path(sys.argv[2]))
delivery = Delivery(configuration, metrics=False)
delivery.submit(llm_calls(1))
delivery.shutdown(1)
child = os.fork()
if child:
    sys.exit(os.waitpid(child, 0)[1])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_child_of_a_process_that_has_shut_down_ends_at_once(server: FaultServer, spool_dir: Path) -> None:
    """It waited for a shutdown that no thread of its own was in, for as long as an end may take."""
    done = finished(
        [sys.executable, "-c", FORK, server.url, str(spool_dir)], env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == 0, done.stderr
