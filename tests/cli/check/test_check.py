"""``otel-arthur check`` against local Arthur."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from otel_arthur.arthur.onboarding import model_request
from otel_arthur.configuration import Configuration
from otel_arthur.delivery import Delivery
from otel_arthur.local.server import LocalArthur
from otel_arthur.spool.destination import Destination
from otel_arthur.spool.spool import Spool
from otel_arthur.target.service import fingerprint
from tests.support.processes.running import finished
from tests.support.servers.account import onboarded
from tests.support.spans.spool_records import batch
from tests.support.waiting import PATIENCE


def check(
    arthur: LocalArthur, model_id: str, *options: str, **environ: str
) -> subprocess.CompletedProcess[str]:
    return finished(
        [sys.executable, "-m", "otel_arthur", "check", *options],
        env={
            **os.environ,
            "COLUMNS": "140",
            "OTEL_EXPORTER_ARTHUR_ENDPOINT": arthur.url,
            "OTEL_EXPORTER_ARTHUR_API_KEY": arthur.api_key,
            "OTEL_EXPORTER_ARTHUR_MODEL_ID": model_id,
            **environ,
        },
    )


def test_it_says_what_fills_what_and_sends_nothing(arthur: LocalArthur) -> None:
    model_id = onboarded(
        arthur, model_request("bot", {"duration": "FLOAT", "mood": "STRING"}, ground_truth=True)
    )
    done = check(arthur, model_id)

    assert done.returncode == 0, done.stderr
    assert "input_text: the messages sent to the model" in done.stdout
    assert "duration: seconds" in done.stdout
    assert "otel_arthur.context(mood=...) in your code" in done.stdout
    assert "ground truth, when you send it" in done.stdout
    assert "prompt_tokens" in done.stdout.split("not sent, for the model has no such attribute")[1]
    assert arthur.store.count(model_id) == 0
    assert arthur.api_key not in done.stdout


def test_send_sends_one_marked_inference(arthur: LocalArthur) -> None:
    model_id = onboarded(arthur)
    done = check(arthur, model_id, "--send")

    assert done.returncode == 0, done.stderr
    (sent,) = arthur.store.inferences(model_id).inferences
    assert "otel-arthur check" in sent.inference_data["input_text"]


def test_a_model_without_a_text_output_is_refused_by_name(arthur: LocalArthur) -> None:
    request = model_request("bot")
    request["attributes"] = [a for a in request["attributes"] if a["stage"] != "PREDICTED_VALUE"]
    done = check(arthur, onboarded(arthur, request))

    assert done.returncode == 1
    assert "output text" in done.stderr
    assert "otel-arthur onboard" in done.stderr


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"OTEL_EXPORTER_ARTHUR_API_KEY": "wrong"}, "401"),
        ({"OTEL_EXPORTER_ARTHUR_MODEL_ID": "nope"}, "nope"),
        ({"OTEL_EXPORTER_ARTHUR_ENDPOINT": "http://127.0.0.1:9"}, "127.0.0.1:9"),
    ],
    ids=["wrong key", "unknown model", "nobody there"],
)
def test_what_is_wrong_is_one_line(arthur: LocalArthur, environ: dict[str, str], said: str) -> None:
    done = check(arthur, onboarded(arthur), **environ)

    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("target", ["", "ENGINE_"])
def test_an_address_in_the_clear_is_one_line_and_wrong_use(arthur: LocalArthur, target: str) -> None:
    variable = f"OTEL_EXPORTER_ARTHUR_{target}ENDPOINT"
    done = check(arthur, onboarded(arthur), **{variable: "http://arthur.example"})

    assert done.returncode == 2
    (line,) = [line for line in done.stderr.splitlines() if variable in line]
    assert "in the clear; use https://" in line


def test_the_spool_is_looked_at_and_not_made(arthur: LocalArthur, tmp_path: Path) -> None:
    model_id = onboarded(arthur)
    folder = tmp_path / "new" / "spool"
    done = check(arthur, model_id, OTEL_EXPORTER_ARTHUR_SPOOL_DIR=str(folder))
    assert f"{folder} (new)" in done.stdout
    assert not folder.parent.exists()

    delivery = Delivery(
        Configuration.from_environment({}, endpoint="http://127.0.0.1:9", spool_dir=folder), metrics=False
    )
    assert delivery.submit_ground_truth([{"partner_inference_id": name} for name in "ab"]).spooled == 2
    delivery.shutdown(0)
    done = check(arthur, model_id, OTEL_EXPORTER_ARTHUR_SPOOL_DIR=str(folder))
    assert done.returncode == 0, done.stderr
    assert "yellow  spool" in done.stdout
    assert "2 records for no model at http://127.0.0.1:9: nobody here sends them" in done.stdout
    assert "otel-arthur spool drain --adopt none" in done.stdout

    settings = {"endpoint": arthur.url, "api_key": arthur.api_key, "model_id": model_id, "spool_dir": folder}
    delivery = Delivery(Configuration.from_environment({}, **settings), metrics=False)
    row = {"partner_inference_id": "a", "ground_truth_data": {"not_there": 1}}
    assert delivery.submit_ground_truth([row]).spooled == 1
    assert delivery.flush(PATIENCE)
    delivery.shutdown(0)
    done = check(arthur, model_id, OTEL_EXPORTER_ARTHUR_SPOOL_DIR=str(folder))
    assert "otel-arthur spool dead-letters list" in done.stdout


@pytest.mark.parametrize("kind", ["in a file", "of another"])
def test_a_spool_that_cannot_be_used_is_one_line(arthur: LocalArthur, tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "spool"
    if kind == "in a file":
        folder.write_text("")
        folder /= "below"
    else:
        folder.mkdir()
        with contextlib.closing(sqlite3.connect(folder / "spool.db")) as other:
            other.execute("CREATE TABLE notes (text)")
    done = check(arthur, onboarded(arthur), OTEL_EXPORTER_ARTHUR_SPOOL_DIR=str(folder))
    assert done.returncode
    (line,) = [one for one in (*done.stderr.splitlines(), *done.stdout.splitlines()) if str(folder) in one]
    assert line.startswith("red     spool")
    assert "output_text" in done.stdout


def test_rows_that_nobody_here_sends_are_said_with_the_command_that_helps(
    arthur: LocalArthur, tmp_path: Path
) -> None:
    """Rows of the configured model wait for the sender; rows of others wait for a person."""
    model_id = onboarded(arthur)

    def spooled(
        count: int, model: str, key: str = arthur.api_key, at: str = arthur.url, of: str = ""
    ) -> None:
        with contextlib.closing(Spool(tmp_path, 1 << 30)) as spool:
            spool.append(Destination(at, fingerprint(key), model, of), batch(count))

    def found() -> dict[str, tuple[str, str | None]]:
        done = check(arthur, model_id, "--json", OTEL_EXPORTER_ARTHUR_SPOOL_DIR=str(tmp_path))
        assert done.returncode == 0, done.stdout + done.stderr
        answer = json.loads(done.stdout)
        return {
            one["text"]: (one["level"], one["next"]) for one in answer["findings"] if one["topic"] == "spool"
        }

    spooled(3, model_id)
    assert found() == {f"{tmp_path}, 3 waiting there": ("green", "otel-arthur spool status")}
    spooled(2, "another")
    spooled(1, model_id, key="wrong")
    spooled(4, "")
    spooled(4, "service.name", at="http://127.0.0.1:9", of="engine")
    assert found() == {
        f"{tmp_path}, 3 waiting there": ("green", "otel-arthur spool status"),
        f"2 records for model another at {arthur.url}: nobody here sends them": (
            "yellow",
            "otel-arthur spool drain --adopt another",
        ),
        f"1 record for model {model_id} at {arthur.url}, under another key or organization: "
        "nobody here sends them": ("yellow", "otel-arthur spool drain"),
        f"4 records for no model at {arthur.url}: nobody here sends them": (
            "yellow",
            "otel-arthur spool drain",
        ),
        "4 records for engine at http://127.0.0.1:9, which is no target here": (
            "yellow",
            "otel-arthur spool status",
        ),
    }
