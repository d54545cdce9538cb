"""``otel-arthur local`` as a user starts it."""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests

from otel_arthur.cli.commands.local import background
from otel_arthur.local import LocalArthur
from tests.support.processes.running import finished
from tests.support.servers.account import Account
from tests.support.servers.ports import free_port
from tests.support.waiting import PATIENCE

COMMAND = [sys.executable, "-m", "otel_arthur", "local"]


@contextmanager
def running(*arguments: str, home: Path) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """The command once it greets, with the variables that it says to export."""
    environment = {**os.environ, "HOME": str(home), "XDG_STATE_HOME": str(home / "state")}
    process = subprocess.Popen(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    try:
        exports: dict[str, str] = {}
        assert process.stdout is not None
        for line in process.stdout:
            if match := re.match(r"\s*export (\w+)=(.*)", line):
                exports[match[1]] = match[2]
            if "Ctrl-C" in line:
                break
        yield process, exports
    finally:
        process.kill()
        process.communicate()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_greets_serves_and_leaves(tmp_path: Path, number: signal.Signals) -> None:
    with running("--port", "0", home=tmp_path) as (process, exports):
        url = exports["OTEL_EXPORTER_ARTHUR_ENDPOINT"]
        key = exports["OTEL_EXPORTER_ARTHUR_API_KEY"]
        assert "onboard" in exports["OTEL_EXPORTER_ARTHUR_MODEL_ID"]
        with requests.Session() as session:
            answer = session.get(f"{url}/api/v3/users/me", headers={"Authorization": key}, timeout=PATIENCE)
            assert answer.status_code == 200
            # The session's connection stays open: leaving does not wait for it.
            process.send_signal(number)
            out, err = process.communicate(timeout=PATIENCE)
        assert (process.returncode, out.strip(), err) == (0, "", "")
    with pytest.raises(requests.ConnectionError):
        requests.get(url, timeout=PATIENCE)
    assert [file.name for file in tmp_path.rglob("*") if file.is_file()] == ["otel-arthur-local.db"]
    with running("--port", "0", home=tmp_path) as (process, exports):
        assert exports["OTEL_EXPORTER_ARTHUR_API_KEY"] == key


def test_greets_as_the_engine_too(tmp_path: Path) -> None:
    """The two lines that it says to paste are all that an application needs."""
    with running("--port", "0", "--api-key", "a b'c", home=tmp_path) as (_, exports):
        names = {name: shlex.split(exports[name])[0] for name in ("ARTHUR_BASE_URL", "ARTHUR_API_KEY")}
        check = [sys.executable, "-m", "otel_arthur", "check", "--send"]
        done = finished(check, env={**os.environ, **names})
        assert done.returncode == 0, done.stderr
        assert "one marked span was accepted" in done.stdout


def test_names_the_model_once_there_is_one(tmp_path: Path, new_model_document: Any) -> None:
    db = str(tmp_path / "a.db")
    with running("--port", "0", "--db", db, "--api-key", "a b'c", home=tmp_path) as (_, exports):
        assert exports["OTEL_EXPORTER_ARTHUR_API_KEY"] == """'a b'"'"'c'"""
        url = exports["OTEL_EXPORTER_ARTHUR_ENDPOINT"]
        made = requests.post(
            f"{url}/api/v3/models",
            json=new_model_document(),
            headers={"Authorization": "a b'c"},
            timeout=PATIENCE,
        )
        assert made.status_code == 201
    with running("--port", "0", "--db", db, home=tmp_path) as (_, exports):
        assert exports["OTEL_EXPORTER_ARTHUR_MODEL_ID"] == made.json()["id"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--host", "0.0.0.0"], 2, "--allow-remote"),
        (["--port", "70000"], 2, "70000"),
        (["--db", "."], 1, "cannot open the database"),
        (["--host", "127.0.0.1", "--port", "TAKEN"], 1, "127.0.0.1:TAKEN"),
    ],
)
def test_errors_are_one_line(tmp_path: Path, arguments: list[str], code: int, words: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        arguments = ["--db", ":memory:", *(one.replace("TAKEN", port) for one in arguments)]
        done = finished([*COMMAND, *arguments], cwd=tmp_path)
    assert done.returncode == code
    assert done.stdout == ""
    assert words.replace("TAKEN", port) in done.stderr.strip().splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_without_the_extra(tmp_path: Path) -> None:
    hide = "import sys; sys.modules['uvicorn'] = None; from otel_arthur.cli import main; main()"
    done = finished([sys.executable, "-c", hide, "local"], cwd=tmp_path)
    assert done.returncode == 2
    assert "pip install 'otel-arthur[local]'" in done.stderr


def test_help_has_an_example() -> None:
    done = finished([*COMMAND, "--help"])
    assert done.returncode == 0
    assert "otel-arthur local --port 0" in done.stdout


def test_the_exporter_does_not_import_this_room() -> None:
    code = (
        "import sys, otel_arthur.sdk.span_exporter\n"
        "rooms = 'otel_arthur.local', 'uvicorn', 'starlette', 'jinja2'; "
        "print([name for name in rooms if name in sys.modules])"
    )
    done = finished([sys.executable, "-c", code])
    assert (done.stdout.strip(), done.returncode) == ("[]", 0)


def test_the_key_from_a_file_or_a_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "key"
    file.write_text("from-a-file\n")
    with running("--port", "0", "--api-key-file", str(file), home=tmp_path) as (_, exports):
        assert exports["OTEL_EXPORTER_ARTHUR_API_KEY"] == "from-a-file"
    monkeypatch.setenv("OTEL_ARTHUR_LOCAL_API_KEY", "from-a-variable")
    with running("--port", "0", home=tmp_path) as (_, exports):
        assert exports["OTEL_EXPORTER_ARTHUR_API_KEY"] == "from-a-variable"


def test_one_eval_starts_it_and_another_finds_it(tmp_path: Path) -> None:
    port = str(free_port())
    command = [*COMMAND, "--port", port, "--db", str(tmp_path / "db"), "--model", "bot", "--print-env"]
    first = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)
    match = re.search(r"`kill (\d+)` ends it", first.stderr)
    assert match is not None, first.stderr
    try:
        lines = first.stdout.splitlines()
        assert [line.partition("=")[0] for line in lines] == [
            "export OTEL_EXPORTER_ARTHUR_ENDPOINT",
            "export OTEL_EXPORTER_ARTHUR_API_KEY",
            "export OTEL_EXPORTER_ARTHUR_MODEL_ID",
        ]
        key, model_id = (line.partition("=")[2] for line in lines[1:])
        found = requests.get(
            f"http://127.0.0.1:{port}/api/v3/models/{model_id}",
            headers={"Authorization": key},
            timeout=PATIENCE,
        )
        assert found.json()["partner_model_id"] == "bot"
        second = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=True)
        dashboard = f"dashboard  http://127.0.0.1:{port}/ (the password is the API key)\n"
        assert (second.stdout, second.stderr) == (first.stdout, dashboard)
        page = requests.get(f"http://127.0.0.1:{port}/", auth=("", key), timeout=PATIENCE)
        assert page.status_code == 200
        # A shell that looked a moment too early finds the other's once its own cannot listen.
        third = finished([sys.executable, "-c", LOOKS_TOO_EARLY, *command[3:]])
        assert (third.returncode, third.stdout, third.stderr) == (0, first.stdout, dashboard)
    finally:
        os.kill(int(match[1]), signal.SIGTERM)


def test_without_a_model_the_one_that_runs_is_used(tmp_path: Path) -> None:
    """Beside a ``local`` in the foreground: its only model is meant, and no setting is printed for none."""
    db = tmp_path / "db"
    with LocalArthur(port=free_port(), db=db) as arthur:
        command = [*COMMAND, "--port", str(arthur.port), "--db", str(db), "--print-env"]
        endpoint, key, _ = background.exports(arthur.url, arthur.api_key, None)
        done = finished(command)
        assert (done.returncode, done.stdout.splitlines()) == (0, [endpoint, key])
        dashboard = f"dashboard  {arthur.url}/ (the password is the API key)\n"
        assert done.stderr == f"{dashboard}No model is set: --model NAME finds or makes one.\n"
        model_id = Account(arthur).onboard("bot")
        done = finished(command)
        assert done.stdout.splitlines() == background.exports(arthur.url, arthur.api_key, model_id)
        assert done.stderr == dashboard


LOOKS_TOO_EARLY = """
from otel_arthur.cli import main
from otel_arthur.cli.commands.local import background
look, looks = background.running, []
def running(*address):
    looks.append(address)
    return None if len(looks) == 1 else look(*address)
background.running = running
main()
"""


def test_a_local_arthur_that_is_slow_to_answer_is_found(tmp_path: Path) -> None:
    """Another process holds its database for longer than a hasty look would wait."""
    db = tmp_path / "db"
    with LocalArthur(port=free_port(), db=db, api_key="the-key") as arthur:
        account = Account(arthur)
        model_id = account.onboard("bot")
        with ThreadPoolExecutor(1) as executor:
            with arthur.store.transaction():
                found = executor.submit(background.running, "127.0.0.1", arthur.port, db, "the-key", "bot")
                with pytest.raises(NotYet):
                    found.result(timeout=3.0)
            assert found.result(PATIENCE) == background.exports(arthur.url, "the-key", model_id)


def test_in_the_background_a_failure_is_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = finished([*COMMAND, "--port", port, "--db", ":memory:", "--print-env"])
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("Error: cannot listen on")
    assert len(done.stderr.splitlines()) == 1
