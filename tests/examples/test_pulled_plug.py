"""The plug is pulled on local Arthur in the middle of ``examples/chat.py``, and put in again."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from otel_arthur.demo.model_server import ModelServer, ModelServerError
from otel_arthur.local.server import LocalArthur
from tests.support.paths import ROOT
from tests.support.processes.running import finished
from tests.support.servers.account import onboarded
from tests.support.servers.fault_exchange import Behaviour, Exchange
from tests.support.servers.fault_server import FaultServer
from tests.support.servers.ports import free_port
from tests.support.waiting import PATIENCE

CHAT = ROOT / "examples" / "chat.py"
INSTRUMENT = str(Path(sys.executable).with_name("opentelemetry-instrument"))
KEY = "a key"


def concise(model_server: ModelServer) -> Behaviour:
    """The model's own answers, kept short: left alone, a small one may talk until its context is full."""

    def behave(exchange: Exchange) -> None:
        exchange.read_body()
        asked = {**exchange.request.json, "max_tokens": 12, "temperature": 0}
        url = model_server.base_url + exchange.request.path.removeprefix("/v1")
        answer = requests.post(url, json=asked, timeout=PATIENCE)
        exchange.answer(answer.status_code, answer.content, {"Content-Type": answer.headers["Content-Type"]})

    return behave


@pytest.fixture
def model() -> Iterator[tuple[str, str]]:
    """Where the small model of ``make demo`` is served, and its name."""
    try:
        with ModelServer() as server, FaultServer() as front:
            front.always(concise(server), on="")
            yield f"{front.url}/v1", server.model
    except ModelServerError as error:
        pytest.skip(str(error))


class Arthur:
    """``otel-arthur local``, always on the same port and database."""

    api_key = KEY

    def __init__(self, database: Path) -> None:
        self._port = free_port()
        self.database = database
        self.url = f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Returns once it answers."""
        where = ("--port", str(self._port), "--db", str(self.database), "--api-key", KEY)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "otel_arthur", "local", *where],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self._process.stdout is not None
        said = self._process.stdout.readline()
        assert said.startswith("Local Arthur"), said

    def kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.communicate()


@pytest.fixture
def arthur(tmp_path: Path) -> Iterator[Arthur]:
    made = Arthur(tmp_path / "arthur.db")
    made.start()
    yield made
    made.kill()


class Chat:
    """The example as its user has it before them, under ``opentelemetry-instrument``."""

    def __init__(self, environ: dict[str, str]) -> None:
        self._process = subprocess.Popen(
            [INSTRUMENT, sys.executable, str(CHAT)],
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        self.answers: list[str] = []
        self._read_to("you: ")

    def ask(self, question: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{question}\n".encode())
        said = self._read_to("you: ")
        assert said.startswith("assistant: "), said
        self.answers.append(said.removeprefix("assistant: ").removesuffix("\n"))

    def quit(self) -> str:
        """Ends it as its user does; what it said on stderr."""
        _, errors = self._process.communicate(b"q\n", timeout=PATIENCE)
        assert self._process.returncode == 0, errors.decode()
        return errors.decode()

    def kill(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _read_to(self, prompt: str) -> str:
        assert self._process.stdout is not None
        said = b""
        while not said.endswith(prompt.encode()):
            byte = self._process.stdout.read(1)
            assert byte, said.decode() + self._process.stderr.read().decode()  # type: ignore[union-attr]
            said += byte
        return said.decode().removesuffix(prompt)


@pytest.mark.parametrize("back", ["before the end", "after the end"])
def test_each_turn_arrives_once(model: tuple[str, str], arthur: Arthur, tmp_path: Path, back: str) -> None:
    model_id = onboarded(arthur)
    environ = {
        **os.environ,
        "OPENAI_BASE_URL": model[0],
        "OPENAI_API_KEY": "any",
        "MODEL": model[1],
        "OTEL_TRACES_EXPORTER": "arthur",
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "OTEL_EXPORTER_ARTHUR_ENDPOINT": arthur.url,
        "OTEL_EXPORTER_ARTHUR_API_KEY": KEY,
        "OTEL_EXPORTER_ARTHUR_MODEL_ID": model_id,
        "OTEL_EXPORTER_ARTHUR_SPOOL_DIR": str(tmp_path / "spool"),
        "OTEL_EXPORTER_ARTHUR_DUPLICATE_WINDOW": "0.5",
    }
    chat = Chat(environ)
    try:
        chat.ask("Hello")
        chat.ask("What is a span?")
        arthur.kill()
        chat.ask("Say one word.")
        chat.ask("And another one.")
        if back == "before the end":
            arthur.start()
            chat.ask("Are you still there?")
        errors = chat.quit()
    finally:
        chat.kill()
    assert all(chat.answers)
    assert "Traceback" not in errors
    if back == "after the end":
        assert "left in" in errors
        arthur.start()
    drain = [sys.executable, "-m", "otel_arthur", "spool", "drain"]
    done = finished(drain, env=environ)
    assert done.returncode == 0, done.stderr

    arthur.kill()
    with LocalArthur(db=arthur.database) as found:
        rows = found.store.inferences(model_id, limit=100).inferences
    rows = sorted(rows, key=lambda row: row.inference_timestamp)
    assert [row.inference_data["output_text"].strip() for row in rows] == [a.strip() for a in chat.answers]
    assert len({row.partner_inference_id for row in rows}) == len(chat.answers)
