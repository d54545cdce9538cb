"""Each example as its header says to run it: every call that the model server answered is one inference."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from otel_arthur.arthur.onboarding import model_request
from otel_arthur.local.server import LocalArthur
from tests.support.environments.tiers import needs, python_of
from tests.support.paths import ROOT
from tests.support.servers.account import onboarded
from tests.support.servers.ports import free_port
from tests.support.servers.providers.openai_answers import WEATHER_TEXT
from tests.support.servers.providers.openai_server import OpenAIServer
from tests.support.waiting import PATIENCE, eventually

EXAMPLES = ROOT / "examples"
OPENLLMETRY, OPENINFERENCE, PYDANTIC_AI = (
    f"examples({name})" for name in ("openllmetry", "openinference", "pydantic-ai")
)
ONE_AFTER_ANOTHER = """
import runpy, sys
for sys.argv[1:] in {}:
    runpy.run_module(sys.argv.pop(1), run_name="__main__")
"""


class Stage:
    """Local Arthur with a model, a model server, and examples between them."""

    def __init__(self, arthur: LocalArthur, server: OpenAIServer, model: dict[str, Any]) -> None:
        self._store, self._model_id = arthur.store, onboarded(arthur, model)
        self.server = server
        self._environ = {
            "OPENAI_BASE_URL": server.base_url,
            "OPENAI_API_KEY": "test",
            "OTEL_TRACES_EXPORTER": "arthur",
            "OTEL_EXPORTER_ARTHUR_ENDPOINT": arthur.url,
            "OTEL_EXPORTER_ARTHUR_API_KEY": arthur.api_key,
            "OTEL_EXPORTER_ARTHUR_MODEL_ID": self._model_id,
            "OTEL_EXPORTER_ARTHUR_DUPLICATE_WINDOW": "1",
            "OTEL_BSP_SCHEDULE_DELAY": "100",
            "PYTHONPATH": str(EXAMPLES),
        }

    @contextmanager
    def start(
        self, *command: str, python: Path = Path(sys.executable), instrumented: bool = True, **keywords: Any
    ) -> Iterator[subprocess.Popen[str]]:
        """A process, which is killed with its children where the test does not end it."""
        instrument = [str(python.with_name("opentelemetry-instrument"))] if instrumented else []
        with subprocess.Popen(
            [*instrument, str(python), *command],
            env={**os.environ, **self._environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            **keywords,
        ) as process:
            try:
                yield process
            finally:
                if process.poll() is None:
                    os.killpg(process.pid, signal.SIGKILL)

    def run(self, *command: str, typed: str = "", **keywords: Any) -> str:
        with self.start(*command, **keywords) as process:
            said, complaints = process.communicate(typed, timeout=PATIENCE)
        assert (process.returncode, complaints) == (0, "")
        return said

    def inferences(self) -> Sequence[Any]:
        return self._store.inferences(self._model_id, limit=100).inferences

    def ids(self) -> list[str]:
        return [row.partner_inference_id for row in self.inferences()]

    def every_answer_arrived_once(self, count: int, failed: int = 0) -> None:
        """`count` answers, and a row with an empty answer for each of the `failed` calls."""
        answers = ["".join(call.texts) for call in self.server.answered]
        assert len(answers) == count
        arrived = sorted(row.inference_data["output_text"] for row in self.inferences())
        assert arrived == sorted([*answers, *[""] * failed])


@pytest.fixture
def stage(arthur: LocalArthur) -> Iterator[Stage]:
    model = model_request("bot", ground_truth={"thumbs_up": "BOOLEAN"})
    with OpenAIServer() as server:
        yield Stage(arthur, server, model)


def test_with_langchain(stage: Stage) -> None:
    """Four examples in one process, since most of their time is LangChain's import."""
    started = [("agent", "TOOLS"), ("rag", "ECHO 30"), ("graph", "ECHO tea"), ("batch", "")]
    said = stage.run("-c", ONE_AFTER_ANOTHER.format(started), typed="ECHO one\nECHO two\nERR400\n")
    rows = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert [(row["answer"], bool(row["error"])) for row in rows] == [
        ("one", False),
        ("two", False),
        ("", True),
    ]
    assert said.splitlines()[:3] == [WEATHER_TEXT, "30", "tea."]

    stage.every_answer_arrived_once(2 + 1 + 6 + 2, failed=1)
    assert {row["partner_inference_id"] for row in rows} <= set(stage.ids())
    data = [row.inference_data for row in stage.inferences()]
    assert len([one for one in data if "within 30 days" in one["input_text"]]) == 1
    assert len([one for one in data if one.get("conversation_id") == "draft-ECHO tea"]) == 6


@pytest.mark.parametrize(
    ("example", "session"),
    [
        pytest.param("plain_openai", OPENLLMETRY, marks=needs(OPENLLMETRY, "instrumentations")),
        pytest.param("plain_openai", OPENINFERENCE, marks=needs(OPENINFERENCE, "instrumentations")),
        pytest.param("pydantic_agent", PYDANTIC_AI, marks=needs(PYDANTIC_AI, "instrumentations")),
    ],
)
def test_without_langchain(stage: Stage, example: str, session: str) -> None:
    is_agent = example == "pydantic_agent"
    stage.run("-m", example, "TOOLS", python=python_of(session), instrumented=not is_agent)
    stage.every_answer_arrived_once(2)


def test_web_application(stage: Stage) -> None:
    """Its page is not opened in a browser; its two routes are used as its script uses them."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with stage.start("-m", "uvicorn", "web_app:app", "--port", str(port), "--log-level", "warning") as server:
        eventually(lambda: is_up(url), "the example serves")
        assert "<button" in requests.get(url, timeout=PATIENCE).text
        streamed = requests.get(f"{url}/answer", {"question": "ECHO hello"}, timeout=PATIENCE).text
        pieces = [json.loads(line.partition(": ")[2]) for line in streamed.splitlines() if "data:" in line]
        assert "".join(pieces[:-1]) == "hello"
        given = {"inference_id": pieces[-1], "thumbs_up": True}
        assert requests.post(f"{url}/feedback", json=given, timeout=PATIENCE).json() is True
        eventually(stage.inferences, "the call arrives")
        eventually(lambda: stage.inferences()[0].ground_truth_data, "the feedback arrives")
        server.terminate()
        _, complaints = server.communicate(timeout=PATIENCE)
    assert complaints == ""
    (row,) = stage.inferences()
    assert (row.partner_inference_id, row.ground_truth_data) == (pieces[-1], {"thumbs_up": True})
    stage.every_answer_arrived_once(1)


def is_up(url: str) -> bool:
    try:
        return requests.get(url, timeout=PATIENCE).ok
    except requests.ConnectionError:
        return False


def test_celery(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A queue of files in Redis's place: what one process puts out comes in at the other."""
    monkeypatch.setenv("CELERY_BROKER_URL", "filesystem://")
    (tmp_path / "data_in").mkdir()
    (tmp_path / "data_out").symlink_to("data_in")
    worker = ("celery", "-A", "celery_tasks", "worker", "--pool", "prefork", "--concurrency", "1")
    with stage.start("-m", *worker, cwd=tmp_path) as process:
        stage.run("-m", "celery_tasks", "ECHO queued", instrumented=False, cwd=tmp_path)
        eventually(lambda: stage.server.answered, "the worker asks the model")
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
    stage.every_answer_arrived_once(1)
