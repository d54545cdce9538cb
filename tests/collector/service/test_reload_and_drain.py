"""A collector's configuration is reloaded, and its end waits for what is under way."""

from __future__ import annotations

import signal
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.collector.posting import PROTOBUF, Start, post
from tests.support.processes.collectors import ArthurCollector
from tests.support.servers.account import Account
from tests.support.servers.next_hops import HTTPServerBehind
from tests.support.spans.otlp_requests import (
    ids,
    llm_request,
    plain_request,
)
from tests.support.waiting import PATIENCE, eventually


def test_reload_takes_a_good_file_and_keeps_running_on_a_bad_one(
    collector: Start, account: Account, model_id: str
) -> None:
    ours = collector()
    second = account.onboard("second")
    good = ours.path.read_text()
    ours.path.write_text(good.replace("models:", "modles:"))
    ours.send(signal.SIGHUP)
    said = (
        ours.wait_for("configuration not reloaded")["msg"]
        + ours.wait_for("configuration not reloaded")["msg"]
    )
    assert "line 2: arthur needs models" in said
    assert "line 2: arthur.modles is not a key of this section; did you mean models?" in said
    first_request, second_request = llm_request(), llm_request()
    assert post(ours, first_request).status_code == 200
    ours.path.write_text(good.replace(model_id, second))
    ours.send(signal.SIGHUP)
    ours.wait_for("configuration reloaded")
    assert post(ours, second_request).status_code == 200
    moved = ours.path.read_text().replace(
        "http: {endpoint: '127.0.0.1:0'}", "http: {endpoint: '127.0.0.2:0'}"
    )
    ours.path.write_text(moved)
    ours.send(signal.SIGHUP)
    ours.wait_for("configuration reloaded")
    assert ours.http.startswith("http://127.0.0.2:")
    assert post(ours, plain_request()).status_code == 200
    with socket.create_server(("127.0.0.3", 0)) as taken:
        ours.path.write_text(moved.replace("127.0.0.2:0", f"127.0.0.3:{taken.getsockname()[1]}"))
        ours.send(signal.SIGHUP)
        ours.wait_for("configuration not reloaded: cannot listen")
        eventually(lambda: "127.0.0.2:" in ours.http, "the old address")
        eventually(lambda: is_ready(ours), "readiness after a reload that failed")
        assert post(ours, plain_request()).status_code == 200
    assert ours.stop() == 0
    assert set(account.inferences(model_id)) == set(ids(first_request))
    assert set(account.inferences(second)) == set(ids(second_request))


def is_ready(collector: ArthurCollector) -> bool:
    try:
        for server in ("health", "otlp/http", "otlp/grpc"):
            host, port = collector.addresses[server].split(":")
            socket.create_connection((host, int(port)), PATIENCE).close()
    except OSError:
        return False
    return True


def test_a_reload_restarts_what_changed_beside_a_request_that_hangs(collector: Start) -> None:
    arrived, release = threading.Event(), threading.Event()

    def slow_for_some(got: Any) -> tuple[int, dict[str, str], bytes]:
        if "x-slow" in got.headers:
            arrived.set()
            release.wait(PATIENCE)
        return 200, PROTOBUF, b""

    with HTTPServerBehind() as behind, ThreadPoolExecutor(1) as executor:
        behind.answer = slow_for_some
        ours = collector(forward=f"{{endpoint: '{behind.url}'}}")
        before = dict(ours.addresses)
        url, body = f"{ours.http}/v1/traces", plain_request().SerializeToString()
        headers = {**PROTOBUF, "x-slow": "yes"}
        hanging = executor.submit(requests.post, url, body, headers=headers, timeout=PATIENCE)
        try:
            assert arrived.wait(PATIENCE)
            old = "metrics: {endpoint: '127.0.0.1:0'}"
            ours.path.write_text(ours.path.read_text().replace(old, old.replace("127.0.0.1", "127.0.0.2")))
            ours.send(signal.SIGHUP)
            ours.wait_for("configuration reloaded")
            assert not hanging.done()
            assert post(ours, plain_request()).status_code == 200
            assert ours.addresses["metrics"].startswith("127.0.0.2:")
            ours.metrics()
            changed = {name for name, address in ours.addresses.items() if before[name] != address}
            assert changed == {"metrics"}
            ours.path.write_text("receivers: [")
            ours.send(signal.SIGHUP)
            ours.wait_for("configuration not reloaded")
            ours.send(signal.SIGTERM)
            ours.wait_for("draining")
        finally:
            release.set()
        assert hanging.result().status_code == 200
        assert ours.stop() == 0
    said = [line["msg"] for line in ours.lines if line["level"] != "info"]
    assert [line for line in said if not line.startswith("configuration not reloaded")] == []


def test_drain_answers_what_is_under_way(collector: Start) -> None:
    arrived, release = threading.Event(), threading.Event()

    def slow(_got: Any) -> tuple[int, dict[str, str], bytes]:
        arrived.set()
        release.wait(PATIENCE)
        return 200, PROTOBUF, b""

    with HTTPServerBehind() as behind:
        behind.answer = slow
        ours = collector(forward=f"{{endpoint: '{behind.url}'}}")
        statuses: list[int] = []
        thread = threading.Thread(target=lambda: statuses.append(post(ours, plain_request()).status_code))
        thread.start()
        assert arrived.wait(PATIENCE)
        ours.send(signal.SIGTERM)
        ours.wait_for("draining")
        ready = requests.get(f"http://{ours.addresses['health']}/readyz", timeout=PATIENCE)
        assert ready.status_code == 503
        assert requests.get(f"http://{ours.addresses['health']}/healthz", timeout=PATIENCE).status_code == 200
        with pytest.raises(requests.ConnectionError):
            post(ours, plain_request())
        release.set()
        thread.join(PATIENCE)
        assert statuses == [200]
        assert ours.stop() == 0


def test_drain_ends_at_its_deadline(collector: Start, account: Account) -> None:
    ours = collector(service="{drain_seconds: 1}")
    account.arthur.stop()
    assert post(ours, llm_request(5)).status_code == 200
    assert ours.stop() == 0
    assert ours.lines[-1]["everything_sent"] is False
