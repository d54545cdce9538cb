"""The main job: an unchanged LangChain application under ``opentelemetry-instrument``, in a child process."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from otel_arthur.local.server import LocalArthur
from tests.support.processes.running import finished
from tests.support.servers.account import onboarded
from tests.support.servers.providers.openai_server import OpenAIServer
from tests.support.waiting import PATIENCE

APPLICATION = """
from langchain_openai import ChatOpenAI
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

llm = ChatOpenAI(model="gpt-4o-mini", max_retries=0)
system = SystemMessage("You are a helpful assistant.")
print(llm.invoke([system, HumanMessage("What is OpenTelemetry?")]).text)
print("".join(chunk.text for chunk in llm.stream("ECHO streamed", stream_usage=True)))
print(llm.bind_tools([{"type": "function", "function": {"name": "get_weather", "parameters": {}}}])
      .invoke("TOOLS weather in Paris?").tool_calls[0]["name"])
print(llm.invoke("EMOJI").text)
print(len(llm.generate([[HumanMessage("two choices")]], n=2).generations[0]))
try:
    llm.invoke("ERR429 now")
except Exception as error:
    print(type(error).__name__)
"""


@pytest.fixture
def model_server() -> Iterator[OpenAIServer]:
    with OpenAIServer() as server:
        yield server


def inferences(arthur: LocalArthur, model_id: str) -> list[dict]:
    answer = requests.get(
        f"{arthur.url}/api/v3/models/{model_id}/inferences",
        params={"limit": 1000},
        headers={"Authorization": arthur.api_key},
        timeout=PATIENCE,
    )
    answer.raise_for_status()
    rows = answer.json()["inferences"]
    return sorted(rows, key=lambda row: row["inference_timestamp"])


def run(
    server: OpenAIServer, tmp_path: Path, settings: dict[str, str], program: str = APPLICATION
) -> subprocess.CompletedProcess[str]:
    script = tmp_path / "application.py"
    script.write_text(program)
    environ = {
        **os.environ,
        "OPENAI_BASE_URL": server.base_url,
        "OPENAI_API_KEY": "test",
        "OTEL_EXPORTER_ARTHUR_SPOOL_DIR": str(tmp_path / "child-spool"),
        **settings,
    }
    return finished(
        [str(Path(sys.executable).with_name("opentelemetry-instrument")), sys.executable, str(script)],
        env=environ,
    )


EXPECTED_OUTPUT = [
    "Hello from the fake model.",
    "streamed",
    "get_weather",
    '你好，世界 🌍 — "naïve" café',
    "line2",
    "2",
]


def test_every_call_arrives_once(arthur: LocalArthur, model_server: OpenAIServer, tmp_path: Path) -> None:
    model_id = onboarded(arthur)
    done = run(
        model_server,
        tmp_path,
        {
            "OTEL_TRACES_EXPORTER": "arthur",
            "OTEL_SERVICE_NAME": "support",
            "OTEL_EXPORTER_ARTHUR_ENDPOINT": arthur.url,
            "OTEL_EXPORTER_ARTHUR_API_KEY": arthur.api_key,
            "OTEL_EXPORTER_ARTHUR_MODEL_ID": model_id,
        },
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[: len(EXPECTED_OUTPUT)] == EXPECTED_OUTPUT

    rows = inferences(arthur, model_id)
    answered = [text for call in model_server.calls if call.answered for text in call.texts]
    by_status = {
        status: [r for r in rows if r["inference_data"]["status"] == status] for status in ("ok", "error")
    }
    assert sorted(r["inference_data"]["output_text"] for r in by_status["ok"]) == sorted(answered)
    assert len({r["partner_inference_id"] for r in rows}) == len(rows) == len(answered) + 1
    (failed,) = by_status["error"]
    assert "RateLimit" in failed["inference_data"]["error_type"]

    first = rows[0]["inference_data"]
    assert first["input_text"] == "System: You are a helpful assistant.\nHuman: What is OpenTelemetry?"
    assert (first["prompt_tokens"], first["completion_tokens"], first["finish_reason"]) == (21, 7, "stop")
    assert first["service_name"] == "support"
    assert first["duration"] > 0


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "OTEL_EXPORTER_ARTHUR_API_KEY"),
        ({"OTEL_EXPORTER_ARTHUR_API_KEY": "k"}, "OTEL_EXPORTER_ARTHUR_MODEL_ID"),
        (
            {
                "OTEL_EXPORTER_ARTHUR_API_KEY": "k",
                "OTEL_EXPORTER_ARTHUR_MODEL_ID": "m",
                "OTEL_EXPORTER_ARTHUR_ENDPOINT": "not a url",
            },
            "OTEL_EXPORTER_ARTHUR_ENDPOINT",
        ),
        (
            {
                "OTEL_EXPORTER_ARTHUR_API_KEY": "k",
                "OTEL_EXPORTER_ARTHUR_MODEL_ID": "m",
                "OTEL_EXPORTER_ARTHUR_ENDPOINT": "http://127.0.0.1:9",
            },
            "127.0.0.1:9",
        ),
    ],
    ids=["nothing set", "no model", "bad URL", "endpoint down"],
)
@pytest.mark.parametrize("exporters", ["arthur", "console,arthur"])
def test_misconfigured_the_application_runs_as_if_we_were_not_there(
    model_server: OpenAIServer, tmp_path: Path, exporters: str, settings: dict[str, str], said: str
) -> None:
    if settings.get("OTEL_EXPORTER_ARTHUR_ENDPOINT") == "not a url":
        # The default endpoint must not be tried from a test: nothing may leave this machine.
        settings = {**settings, "HTTPS_PROXY": "http://127.0.0.1:9"}
    program = (
        'from langchain_openai import ChatOpenAI\nprint(ChatOpenAI(model="m").invoke("ECHO alive").text)\n'
    )
    done = run(model_server, tmp_path, {**settings, "OTEL_TRACES_EXPORTER": exporters}, program)

    assert done.returncode == 0
    # The console exporter's thread may write between a line and its end.
    assert done.stdout.startswith("alive")
    assert ('"name": "ChatOpenAI.chat"' in done.stdout) == (exporters == "console,arthur")
    lines = [line for line in done.stderr.splitlines() if "otel-arthur" in line]
    assert any(said in line for line in lines), done.stderr
    assert "Traceback" not in done.stderr


INTERRUPTED = """
import os, signal, threading, time
from langchain_openai import ChatOpenAI

ChatOpenAI(model="m").invoke("ECHO farewell")
interrupt = lambda: (time.sleep(float(os.environ["DELAY"])), os.kill(os.getpid(), signal.SIGINT))
threading.Thread(target=interrupt, daemon=True).start()
"""


@pytest.mark.parametrize("delay", ["0", "0.005", "0.02", "0.05"])
def test_ctrl_c_while_the_sdk_shuts_down_loses_nothing(
    arthur: LocalArthur, model_server: OpenAIServer, tmp_path: Path, delay: str
) -> None:
    """Ctrl-C ends the wait at once: the call is sent, or waits on disk for the next run."""
    settings = {
        "OTEL_TRACES_EXPORTER": "arthur",
        "OTEL_EXPORTER_ARTHUR_ENDPOINT": arthur.url,
        "OTEL_EXPORTER_ARTHUR_API_KEY": arthur.api_key,
        "OTEL_EXPORTER_ARTHUR_MODEL_ID": onboarded(arthur),
        "OTEL_EXPORTER_ARTHUR_SPOOL_DIR": str(tmp_path / "child-spool"),
    }
    done = run(model_server, tmp_path, {**settings, "DELAY": delay}, INTERRUPTED)
    drain = [sys.executable, "-m", "otel_arthur", "spool", "drain"]
    subprocess.run(drain, env={**os.environ, **settings}, check=True, capture_output=True, timeout=PATIENCE)

    rows = inferences(arthur, settings["OTEL_EXPORTER_ARTHUR_MODEL_ID"])
    assert [row["inference_data"]["output_text"] for row in rows] == ["farewell"], done.stderr
