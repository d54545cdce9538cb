"""Ground truth from the application, and waiting for it: with an exporter in the process and without."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from otel_arthur.arthur.onboarding import model_request
from otel_arthur.local.server import LocalArthur
from tests.support.processes.running import finished
from tests.support.servers.account import onboarded
from tests.support.servers.fault_behaviours import hang
from tests.support.servers.fault_server import MODEL, FaultServer

SPAN = """
import json, os, sys
import otel_arthur
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
def chat():
    with trace.get_tracer("app").start_as_current_span("chat m") as span:
        for kind, role in (("input", "user"), ("output", "assistant")):
            message = {"role": role, "parts": [{"type": "text", "content": "hello"}]}
            span.set_attribute(f"gen_ai.{kind}.messages", json.dumps([message]))
        span.set_attributes({"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"})
        return otel_arthur.inference_id(span)
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(otel_arthur.ArthurSpanExporter()))
trace.set_tracer_provider(provider)
"""


def run(program: str, url: str, key: str, model_id: str, spool: Path, **extra: str) -> list[str]:
    environ = {
        **os.environ,
        "OTEL_EXPORTER_ARTHUR_ENDPOINT": url,
        "OTEL_EXPORTER_ARTHUR_API_KEY": key,
        "OTEL_EXPORTER_ARTHUR_MODEL_ID": model_id,
        "OTEL_EXPORTER_ARTHUR_SPOOL_DIR": str(spool),
        **extra,
    }
    done = finished([sys.executable, "-c", program], env=environ)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return done.stdout.split()


def truths(arthur: LocalArthur, model_id: str) -> dict[str, object]:
    rows = arthur.store.inferences(model_id, limit=100).inferences
    return {row.partner_inference_id: row.ground_truth_data for row in rows}


def test_force_flush_waits_for_ground_truth_alone(arthur: LocalArthur, tmp_path: Path) -> None:
    """The process is killed right after, so nothing else can have sent it."""
    model_id = onboarded(arthur, model_request("bot", ground_truth=True))
    program = """
identity = chat()
assert otel_arthur.force_flush()
assert otel_arthur.record_ground_truth(identity, expected_text="hi")
assert otel_arthur.force_flush()
print(identity, flush=True)
os._exit(0)
"""
    (identity,) = run(SPAN + program, arthur.url, arthur.api_key, model_id, tmp_path / "s")
    assert truths(arthur, model_id) == {identity: {"expected_text": "hi"}}


def test_a_process_without_an_exporter(arthur: LocalArthur, tmp_path: Path) -> None:
    model_id = onboarded(arthur, model_request("bot", ground_truth=True))
    ids = run(
        SPAN + "print(*[chat() for _ in range(3)])", arthur.url, arthur.api_key, model_id, tmp_path / "a"
    )
    program = """
import os, otel_arthur
first, *others = os.environ["IDS"].split()
assert otel_arthur.record_ground_truth(first, expected_text="first")
assert otel_arthur.force_flush()
for identity in others:
    assert otel_arthur.record_ground_truth(identity, expected_text="at the exit")
"""
    run(program, arthur.url, arthur.api_key, model_id, tmp_path / "b", IDS=" ".join(ids))
    assert truths(arthur, model_id) == {
        ids[0]: {"expected_text": "first"},
        **{identity: {"expected_text": "at the exit"} for identity in ids[1:]},
    }


def test_recording_waits_for_nobody(tmp_path: Path) -> None:
    """Without an exporter too: a feedback service must not stand still because Arthur does."""
    program = """
import os, otel_arthur
for number in range(5):
    assert otel_arthur.record_ground_truth(f"id-{number}", expected_text="hi")
assert not otel_arthur.force_flush(200)
os._exit(0)
"""
    with FaultServer() as server:
        server.always(hang(), on="")
        # Five waits for a request's timeout would be longer than the test may take.
        run(program, server.url, "k", MODEL["id"], tmp_path / "s", OTEL_EXPORTER_ARTHUR_TIMEOUT="200")
        server.always(None, on="")
        drain = [sys.executable, "-m", "otel_arthur", "spool", "drain"]
        environ = {
            **os.environ,
            "OTEL_EXPORTER_ARTHUR_ENDPOINT": server.url,
            "OTEL_EXPORTER_ARTHUR_API_KEY": "k",
            "OTEL_EXPORTER_ARTHUR_MODEL_ID": MODEL["id"],
            "OTEL_EXPORTER_ARTHUR_SPOOL_DIR": str(tmp_path / "s"),
        }
        subprocess.run(drain, env=environ, check=True, capture_output=True)
        assert sorted(server.accepted_ids) == [f"id-{number}" for number in range(5)]


def test_force_flush_with_nothing_of_ours_in_the_process(tmp_path: Path) -> None:
    program = "import otel_arthur; print(otel_arthur.force_flush())"
    assert run(program, "http://127.0.0.1:9", "k", "m", tmp_path / "s") == ["True"]


BAD_CALLS = {
    "inference_id": "5, expected_text='x'",
    "values": "'id', ['SECRET']",
    "timestamp": "'id', timestamp='2026-11-22', expected_text='SECRET'",
    "no value": "'id'",
    "expected_text": "'id', expected_text=deep",
    "a name": "'id', {5: 'SECRET'}",
}


@pytest.mark.parametrize("named", BAD_CALLS)
def test_a_bad_call_is_one_line_that_names_what_is_wrong(named: str, tmp_path: Path) -> None:
    program = f"""
import logging, sys, otel_arthur
logging.basicConfig(stream=sys.stdout, format="%(message)s")
deep = []
for _ in range(300):
    deep = [deep]
assert otel_arthur.record_ground_truth({BAD_CALLS[named]}) is False
assert otel_arthur.force_flush("soon") is False
"""
    words = " ".join(run(program, "http://127.0.0.1:9", "k", "m", tmp_path / "s"))

    truth, flush = words.split("otel-arthur: ")[1:]
    assert truth.startswith("ground truth is ignored")
    assert named in truth
    assert "SECRET" not in truth
    assert "flush" in flush
