"""``otel-arthur check`` with Arthur Engine as a target, alone or beside the v3 platform."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from otel_arthur.local.server import LocalArthur
from tests.support.processes.running import finished


def check(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return finished(
        [sys.executable, "-m", "otel_arthur", "check", *arguments], env={**os.environ, **variables}
    )


def test_arthurs_own_three_names_are_enough() -> None:
    with LocalArthur() as engine:
        task = engine.traces.add_task("mine")
        names = {"ARTHUR_BASE_URL": engine.url, "ARTHUR_API_KEY": engine.api_key, "ARTHUR_TASK_ID": task}
        done = check(**names)
        assert done.returncode == 0, done.stderr
        assert "the key may send traces" in done.stdout
        assert "may ask which spans are stored" in done.stdout
        assert task in done.stdout
        assert "OTEL_EXPORTER_ARTHUR_ENGINE_REMOTE_PARENT=keep" in done.stdout
        assert engine.traces.spans()[0] == 0
        assert check("--send", **names).returncode == 0
        (span,) = engine.traces.spans()[1]
        assert (span.task_id, span.name, span.kind) == (task, "otel-arthur check", "LLM")


@pytest.mark.parametrize(
    ("role", "code", "said"),
    [
        ("VALIDATION-USER", 0, "may not ask"),
        ("TENANT-USER", 1, "a key with the role TENANT-USER never may"),
        ("", 1, "OTEL_EXPORTER_ARTHUR_ENGINE_API_KEY"),
    ],
)
def test_what_the_key_may_do_is_said(role: str, code: int, said: str) -> None:
    with LocalArthur(engine_keys={"key": role} if role else {"other": "TASK-ADMIN"}) as engine:
        done = check(ARTHUR_BASE_URL=engine.url, ARTHUR_API_KEY="key")
    assert done.returncode == code
    assert said in done.stdout + done.stderr
    assert len(done.stderr.splitlines()) == (1 if code else 0)


@pytest.mark.parametrize(
    ("variables", "code", "said"),
    [
        ({"ARTHUR_BASE_URL": "http://127.0.0.1:9"}, 2, "set OTEL_EXPORTER_ARTHUR_ENGINE_API_KEY"),
        ({"ARTHUR_BASE_URL": "http://127.0.0.1:9", "ARTHUR_API_KEY": "k"}, 1, "127.0.0.1:9"),
        ({"OTEL_EXPORTER_ARTHUR_ENGINE_ENDPOINT": "engine", "ARTHUR_API_KEY": "k"}, 2, "ENGINE_ENDPOINT"),
    ],
    ids=["no key", "nobody there", "no URL"],
)
def test_what_is_wrong_is_one_line(variables: dict[str, str], code: int, said: str) -> None:
    done = check(**variables)
    assert done.returncode == code
    (line,) = done.stderr.splitlines()
    assert said in line


def test_a_task_that_is_not_there_is_said() -> None:
    with LocalArthur() as engine:
        names = {"ARTHUR_BASE_URL": engine.url, "ARTHUR_API_KEY": engine.api_key, "ARTHUR_TASK_ID": "none"}
        done = check(**names)
    assert done.returncode == 2
    assert "the Engine has no task none" in done.stderr
    # A key that may not ask learns it from the span that is refused.
    with LocalArthur(engine_keys={"key": "VALIDATION-USER"}) as engine:
        done = check("--send", ARTHUR_BASE_URL=engine.url, ARTHUR_API_KEY="key", ARTHUR_TASK_ID="none")
    assert done.returncode == 1
    assert "OTEL_EXPORTER_ARTHUR_ENGINE_TASK_ID" in done.stderr
