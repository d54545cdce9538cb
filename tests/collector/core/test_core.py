"""The core: OTLP over a socket into the spool, the ids of calls as the answer, an end with its parent's."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from opentelemetry.proto.common.v1.common_pb2 import KeyValue

from otel_arthur.collector.otlp.handed_over import CONTENT_TYPE
from tests.collector.core.test_handed_over import packed
from tests.support.processes.cores import CALLS, Core
from tests.support.servers.account import Account
from tests.support.spans.otlp_requests import (
    all_spans,
    ids,
    llm_request,
    log_request,
    plain_request,
)
from tests.support.waiting import PATIENCE, eventually


@pytest.fixture
def core(account: Account, model_id: str, tmp_path: Path) -> Iterator[Core]:
    """A core that was not started."""
    made = Core(
        tmp_path,
        {
            "arthur": {
                "endpoint": account.url,
                "api_key": account.api_key,
                "models": [{"model_id": model_id}],
            },
            "spool": {"directory": "./spool"},
            "service": {"drain_seconds": "5s"},
        },
    )
    yield made
    if made.process is not None:
        made.stop()


def test_beside_a_collector(core: Core, account: Account, model_id: str) -> None:
    """Calls go to Arthur; the answer names them where it is asked to, and is OTLP's own where not."""
    core.beside()
    calls, plain, more = llm_request(2), plain_request(3), llm_request()
    mixed = type(calls)()
    mixed.MergeFrom(plain)
    mixed.MergeFrom(calls)
    expected = b"".join(span.trace_id + span.span_id for span in all_spans(calls))
    assert core.send(mixed, Accept=CALLS) == (200, expected)
    assert core.send(more) == (200, b"")
    assert core.send(log_request(), "logs") == (200, b"")
    assert core.ask("POST", "/v1/traces", b"no list", **{"Content-Type": CONTENT_TYPE})[0] == 400
    counters = core.counters()
    assert counters["otelcol_arthur_calls", "taken"] == 3
    eventually(lambda: account.count(model_id) == 3, "three inferences")
    assert set(account.inferences(model_id)) == {*ids(calls), *ids(more)}
    # Another core must not take its place while it listens, and may once it was killed.
    second = Core(core.path.parent, core.sections)
    arguments = ["core", "--config", "core.yaml", "--listen", f"unix://{core.path}"]
    done = subprocess.run(
        [sys.executable, "-m", "otel_arthur", *arguments],
        cwd=core.path.parent,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, b"another core listens there" in done.stderr) == (1, True)
    core.stop(signal.SIGKILL)
    second.beside()
    assert second.stop() == 0
    assert not core.path.exists()


def test_managed(core: Core, account: Account, model_id: str) -> None:
    """It says nothing of its secrets to other processes, and ends with its parent, what it took on disk."""
    core.managed()
    assert core.process is not None
    for of_the_process in ("cmdline", "environ"):
        shown = Path(f"/proc/{core.process.pid}/{of_the_process}")
        assert not shown.exists() or account.api_key.encode() not in shown.read_bytes()
    calls = llm_request(2)
    assert core.send(calls)[0] == 200
    assert core.parent is not None
    os.close(core.parent)  # as the kernel does when the parent is killed
    core.parent = None
    assert core.wait() == 0
    assert "the Collector has ended" in core.log()
    core.path.unlink()
    core.managed()
    eventually(lambda: set(account.inferences(model_id)) == set(ids(calls)), "both inferences")
    assert core.stop() == 0


def test_full_spool_is_said(core: Core) -> None:
    """What the spool does not take is refused with an answer that may be sent again."""
    core.sections["spool"]["max_mb"] = 1
    core.sections["arthur"]["endpoint"] = "http://127.0.0.1:9"
    core.beside()

    def is_full() -> bool:
        status, answer = core.send(llm_request(8, text="x" * 50_000))
        return status == 503 and b"the spool is full" in answer

    eventually(is_full, "an answer that says so")


def test_large_exports(core: Core, account: Account, model_id: str) -> None:
    """Long texts are taken in either form; what can never be taken is not said to be worth another try."""
    core.sections["limits"] = {"max_in_flight_mb": 64}
    core.beside()
    long = llm_request(300, text="x" * 15_000)
    packed_long = packed(long)
    assert len(packed_long) > 8_000_000
    handed_over = {"Content-Type": CONTENT_TYPE}
    assert core.ask("POST", "/v1/traces", packed_long, **handed_over)[0] == 200
    eventually(lambda: account.count(model_id) == 300, "three hundred inferences")
    # Few bytes, and much memory once they are decoded.
    for lists, limit in ((900_000, b"limits.max_in_flight_mb"), (1_100_000, b"limits.max_items")):
        body = msgspec.msgpack.encode([[]] * lists)
        status, answer = core.ask("POST", "/v1/traces", body, **handed_over)
        assert (status, limit in answer) == (413, True)
    many = llm_request()
    many.resource_spans[0].scope_spans[0].spans[0].attributes.extend(
        KeyValue(key="x") for _ in range(1_000_001)
    )
    assert core.send(many)[0] == 413
    assert core.send(llm_request())[0] == 200


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--listen", "unix:///tmp/x.sock"], "name the configuration"),
        (["--config", "c.yaml"], "say where to listen"),
        (["--config", "c.yaml", "--listen", "/tmp/x.sock"], "must be unix:///path or tcp://host:port"),
        (["--config", "wrong.yaml", "--listen", "tcp://127.0.0.1:0"], "receivers is not a key"),
        (["--config", "full.yaml", "--listen", "tcp://127.0.0.1:0"], "spool.on_full is not a key"),
        (["--config", "c.yaml", "--listen", f"unix:///{'x' * 120}"], "(AF_UNIX path too long)"),
    ],
)
def test_wrong_use(arguments: list[str], says: str, tmp_path: Path) -> None:
    """In a process of its own: a service that ends ignores signals from then on."""
    smallest = "arthur: {api_key: k, models: [{model_id: m}]}\n"
    (tmp_path / "c.yaml").write_text(smallest)
    (tmp_path / "wrong.yaml").write_text(smallest + "receivers: {otlp: {}}\n")
    (tmp_path / "full.yaml").write_text(smallest + "spool: {on_full: pass}\n")
    command = [sys.executable, "-m", "otel_arthur", "core", *arguments]
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode in (1, 2)
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_parent_that_ends_early() -> None:
    """A Collector that dies while it starts its core is no fault of ours to report."""
    reading, writing = os.pipe()
    os.write(writing, b"{arthur: ")
    os.close(writing)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "otel_arthur", "core"),
            *("--config-descriptor", str(reading), "--listen-descriptor", "99"),
        ],
        pass_fds=[reading],
        capture_output=True,
        check=False,
    )
    os.close(reading)
    assert done.returncode == 2
    assert b"ended before the configuration did" in done.stderr
    assert b"fault of otel-arthur" not in done.stderr
