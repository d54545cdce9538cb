"""What one instrumentation alone records is sent at once; beside a second recorder a call waits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from otel_arthur.cli import cli
from otel_arthur.local.server import LocalArthur
from tests.support.environments.tiers import environment, needs
from tests.support.servers.account import onboarded
from tests.support.servers.providers.openai_server import OpenAIServer
from tests.support.waiting import PATIENCE, eventually

pytestmark = pytest.mark.slow

APPLICATION = """
import sys
import otel_arthur
from langchain_openai import ChatOpenAI
from opentelemetry import trace
otel_arthur.instrument(instrumentations="langchain")
with trace.get_tracer("my-application").start_as_current_span("start"):
    pass
for line in sys.stdin:
    if line == "openai\\n":
        from openinference.instrumentation.openai import OpenAIInstrumentor
        OpenAIInstrumentor().instrument()
    elif line == "anthropic\\n":
        trace.get_tracer("com.anthropic.sdk.python")
    else:
        ChatOpenAI(model="m", max_retries=0).invoke("ECHO " + line)
"""
HOUR = "3600"


def _held(environ: dict[str, str]) -> int:
    done = CliRunner(env=environ).invoke(cli, ["spool", "status", "--json"])
    return sum(one["held"] for one in json.loads(done.stdout)["destinations"])


@pytest.mark.parametrize(
    ("second", "spans"),
    [pytest.param("openai", 2, marks=needs("second", "instrumentations")), ("anthropic", 1)],
)
def test_only_beside_a_second_recorder_a_call_waits(second: str, spans: int, tmp_path: Path) -> None:
    package, *_ = [*environment("second").glob("lib/python*/site-packages"), tmp_path]
    with LocalArthur() as arthur, OpenAIServer() as server:
        model = onboarded(arthur)
        environ = {
            **os.environ,
            "PYTHONPATH": str(package),
            "OPENAI_BASE_URL": server.base_url,
            "OPENAI_API_KEY": "test",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
            "OTEL_EXPORTER_ARTHUR_ENDPOINT": arthur.url,
            "OTEL_EXPORTER_ARTHUR_API_KEY": arthur.api_key,
            "OTEL_EXPORTER_ARTHUR_MODEL_ID": model,
            "OTEL_EXPORTER_ARTHUR_SPOOL_DIR": str(tmp_path / "spool"),
            "OTEL_EXPORTER_ARTHUR_DUPLICATE_WINDOW": HOUR,
        }
        command = [sys.executable, "-c", APPLICATION]
        with subprocess.Popen(command, env=environ, stdin=subprocess.PIPE, text=True, bufsize=1) as process:
            assert process.stdin is not None
            process.stdin.write("alone\n")
            eventually(lambda: arthur.store.count(model) == 1, "a call of one recorder arrives in its window")
            process.stdin.write(f"{second}\ntwo\n")
            eventually(lambda: _held(environ) == spans, "each description waits")
            assert arthur.store.count(model) == 1
            process.stdin.close()
            assert process.wait(PATIENCE) == 0
        rows = arthur.store.inferences(model, limit=10).inferences
    assert sorted(row.inference_data["output_text"] for row in rows) == ["alone", "two"]
