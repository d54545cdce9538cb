"""Forks before and after first use, exits, SIGTERM, a prefork server: nothing handed over is lost."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.processes.running import starting
from tests.support.servers.fault_server import MODEL_ID, FaultServer
from tests.support.servers.ports import free_port
from tests.support.waiting import PATIENCE

PRELUDE = f"""
import os, sys, time, signal, threading
from otel_arthur.delivery import patience
PATIENCE = patience.IDLE_SECONDS = {PATIENCE}
from tests.support.spans.llm_calls import llm_calls, ids_of
from otel_arthur.configuration import Configuration
from otel_arthur.delivery import Delivery
delivery = Delivery(Configuration.from_environment(), metrics=False)
def say(count):
    calls = llm_calls(count)
    assert delivery.submit(calls).spooled == count
    os.write(1, "".join(identity + "\\n" for identity in ids_of(calls)).encode())
"""
"""A busy machine may answer late: an end gives up a silent Arthur after three seconds, but not here."""


@pytest.fixture
def run(server: FaultServer, spool_dir: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    environ = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "PYTHONWARNINGS": "ignore",
        "OTEL_EXPORTER_ARTHUR_ENDPOINT": server.url,
        "OTEL_EXPORTER_ARTHUR_API_KEY": "k",
        "OTEL_EXPORTER_ARTHUR_ORGANIZATION_ID": "o",
        "OTEL_EXPORTER_ARTHUR_MODEL_ID": MODEL_ID,
        "OTEL_EXPORTER_ARTHUR_SPOOL_DIR": str(spool_dir),
        "OTEL_EXPORTER_ARTHUR_DUPLICATE_WINDOW": "0.2",
    }
    with starting(environ) as start:
        yield lambda program, **extra: start(sys.executable, "-c", PRELUDE + program, **extra)


def ids(process: subprocess.Popen[bytes], code: int = 0) -> list[str]:
    said, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == code, errors.decode()
    assert b"Traceback" not in errors, errors.decode()
    return sorted(said.decode().split())


FORKED = """
{before}
children = []
for _ in range(3):
    child = os.fork()
    if not child:
        say(10)
        ok = delivery.flush(PATIENCE) and delivery.shutdown(PATIENCE)
        os._exit(0 if ok else 3)
    children.append(child)
{after}
assert all(os.waitpid(child, 0)[1] == 0 for child in children)
assert delivery.flush(PATIENCE) and delivery.shutdown(PATIENCE)
"""


@pytest.mark.parametrize("memory", [False, True], ids=["on disk", "in memory"])
@pytest.mark.parametrize(
    ("before", "after"),
    [("", "say(5)"), ("say(5)", "say(5)"), ("say(5); assert delivery.flush(PATIENCE)", "say(5)")],
    ids=["before first use", "after first use", "after a flush"],
)
def test_forks(
    server: FaultServer, run: Callable[..., subprocess.Popen[bytes]], before: str, after: str, memory: bool
) -> None:
    program = FORKED.format(before=before, after=after)
    handed = ids(run(program, OTEL_EXPORTER_ARTHUR_SPOOL_DIR="off") if memory else run(program))
    assert len(handed) == 30 + 5 * (before + after).count("say")
    assert sorted(server.accepted_ids) == handed


def test_forks_while_other_threads_use_the_spool(
    server: FaultServer, run: Callable[..., subprocess.Popen[bytes]]
) -> None:
    program = """
def busy():
    for _ in range(60):
        say(3)
threads = [threading.Thread(target=busy) for _ in range(2)]
[t.start() for t in threads]
children = []
for _ in range(12):
    child = os.fork()
    if not child:
        say(2)
        os._exit(0 if delivery.flush(PATIENCE) and delivery.shutdown(PATIENCE) else 3)
    children.append(child)
    time.sleep(0.02)
[t.join() for t in threads]
assert all(os.waitpid(child, 0)[1] == 0 for child in children)
assert delivery.flush(PATIENCE) and delivery.shutdown(PATIENCE)
"""
    handed = ids(run(program))
    assert len(handed) == 60 * 3 * 2 + 24
    assert sorted(server.accepted_ids) == handed


def test_an_exit_without_shutdown_sends_what_is_held(
    server: FaultServer, run: Callable[..., subprocess.Popen[bytes]]
) -> None:
    handed = ids(run("say(7)", OTEL_EXPORTER_ARTHUR_DUPLICATE_WINDOW="300"))
    assert sorted(server.accepted_ids) == handed


def test_an_exit_while_arthur_is_down_is_quick_and_leaves_all_on_disk(
    server: FaultServer, run: Callable[..., subprocess.Popen[bytes]]
) -> None:
    server.stop()
    handed = ids(run("say(7)\nbegan = time.monotonic()\nimport atexit"))
    server.start()
    assert ids(run("delivery.start()\nassert delivery.flush(PATIENCE)")) == []
    assert sorted(server.accepted_ids) == handed


def test_sigterm_of_a_plain_script_loses_nothing_handed_over(
    server: FaultServer, run: Callable[..., subprocess.Popen[bytes]]
) -> None:
    process = run("say(7)\ntime.sleep(60)", OTEL_EXPORTER_ARTHUR_DUPLICATE_WINDOW="300")
    assert process.stdout is not None
    first = [process.stdout.readline().decode().strip() for _ in range(7)]
    process.terminate()
    assert ids(process, -signal.SIGTERM) == []
    assert ids(run("delivery.start()\nassert delivery.flush(PATIENCE)")) == []
    assert sorted(server.accepted_ids) == sorted(first)


def test_flush_on_sigterm_exports_what_the_processor_has(
    server: FaultServer, run: Callable[..., subprocess.Popen[bytes]]
) -> None:
    program = """
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from otel_arthur.process.sigterm import flush_on_sigterm
class Provider(TracerProvider):
    def shutdown(self):
        say(4)
        delivery.shutdown(PATIENCE)
trace.set_tracer_provider(Provider(shutdown_on_exit=False))
assert flush_on_sigterm()
assert not flush_on_sigterm()
print("ready", flush=True)
time.sleep(60)
"""
    process = run(program)
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    process.terminate()
    handed = ids(process, -signal.SIGTERM)
    assert len(handed) == 4
    assert sorted(server.accepted_ids) == handed


TRACED = """
import json, multiprocessing
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from otel_arthur import ArthurSpanExporter, inference_id
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(ArthurSpanExporter(), schedule_delay_millis=3_600_000))
trace.set_tracer_provider(provider)
def call(_number):
    with trace.get_tracer("app").start_as_current_span("chat m") as span:
        for kind, role in (("input", "user"), ("output", "assistant")):
            message = {"role": role, "parts": [{"type": "text", "content": "hello"}]}
            span.set_attribute(f"gen_ai.{kind}.messages", json.dumps([message]))
        span.set_attributes({"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"})
        os.write(1, (inference_id(span) + "\\n").encode())
context = multiprocessing.get_context("fork")
"""


def test_children_of_multiprocessing_export_what_the_processor_has(
    server: FaultServer, run: Callable[..., subprocess.Popen[bytes]]
) -> None:
    """They end with ``os._exit``: no exit handler runs in them."""
    program = """
call(0)
child = context.Process(target=call, args=(1,))
child.start()
child.join()
with context.Pool(2) as pool:
    pool.map(call, range(8), chunksize=1)
    pool.close()
    pool.join()
"""
    handed = ids(run(TRACED + program))
    assert len(handed) == 10
    assert sorted(server.accepted_ids) == handed


def test_children_that_recorded_nothing_end_without_asking_arthur(
    server: FaultServer, run: Callable[..., subprocess.Popen[bytes]]
) -> None:
    server.stop()
    ids(run("say(5)"))
    server.start()
    program = """
child = context.Process(target=print)
child.start()
child.join()
os._exit(0)
"""
    assert ids(run(TRACED + program)) == []
    assert server.requests == []
    assert ids(run("delivery.start()\nassert delivery.flush(PATIENCE)")) == []
    assert len(server.accepted_ids) == 5


def test_gunicorn_workers(server: FaultServer, spool_dir: Path, tmp_path: Path) -> None:
    pytest.importorskip("gunicorn")
    import urllib.request

    (tmp_path / "served.py").write_text(
        PRELUDE
        + """
def application(environ, start_response):
    calls = llm_calls(1)
    delivery.submit(calls)
    start_response("200 OK", [])
    return [ids_of(calls)[0].encode()]
"""
    )
    port = free_port()
    environ = {
        **os.environ,
        "PYTHONPATH": f"{ROOT}:{tmp_path}",
        "OTEL_EXPORTER_ARTHUR_ENDPOINT": server.url,
        "OTEL_EXPORTER_ARTHUR_API_KEY": "k",
        "OTEL_EXPORTER_ARTHUR_MODEL_ID": MODEL_ID,
        "OTEL_EXPORTER_ARTHUR_SPOOL_DIR": str(spool_dir),
        "OTEL_EXPORTER_ARTHUR_DUPLICATE_WINDOW": "300",
    }
    command = ["-m", "gunicorn", "--preload", "--workers", "2", "--bind", f"127.0.0.1:{port}", "served"]
    with subprocess.Popen(
        [sys.executable, *command], env=environ, cwd=tmp_path, stderr=subprocess.PIPE
    ) as process:
        assert process.stderr is not None
        try:
            while b"Booting worker" not in (line := process.stderr.readline()):
                assert line, "gunicorn did not start"
            handed = [
                urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=PATIENCE).read().decode()
                for _ in range(20)
            ]
        finally:
            process.terminate()
        process.stderr.read()
    assert sorted(server.accepted_ids) == sorted(handed)
