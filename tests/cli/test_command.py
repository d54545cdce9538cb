"""The command's frame: help, exit codes, one-line errors."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest

from otel_arthur.cli import cli
from tests.support.processes.running import finished
from tests.support.waiting import PATIENCE

COMMANDS = tuple(cli.list_commands(click.Context(cli)))


def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return finished([sys.executable, "-m", "otel_arthur", *arguments], env={**os.environ, **environ})


def test_help_lists_every_command() -> None:
    done = run("--help")

    assert done.returncode == 0
    for command in COMMANDS:
        assert command in done.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(command: str) -> None:
    done = run(command, "--help")

    assert done.returncode == 0, done.stderr
    assert f"otel-arthur {command}" in done.stdout


def test_every_command_that_answers_has_json() -> None:
    def answering(command: click.Command, name: str) -> set[str]:
        if not isinstance(command, click.Group):
            has_json = any(parameter.name == "as_json" for parameter in command.params)
            return set() if has_json else {name}
        context = click.Context(command)
        found = ((one, command.get_command(context, one)) for one in command.list_commands(context))
        return set().union(*(answering(one, name) for name, one in found if one is not None))

    assert answering(cli, "") == {"core", "export"}, "a service; what prints nothing but JSON"


def test_an_unknown_command_is_wrong_use() -> None:
    done = run("nonsense")

    assert done.returncode == 2
    assert "nonsense" in done.stderr
    assert "Traceback" not in done.stderr


def test_check_without_configuration_says_what_to_set() -> None:
    done = run("check")

    assert done.returncode == 2
    assert "OTEL_EXPORTER_ARTHUR_API_KEY" in done.stderr
    assert "OTEL_EXPORTER_ARTHUR_MODEL_ID" in done.stderr


def test_check_refuses_an_endpoint_that_is_no_url() -> None:
    done = run(
        "check",
        OTEL_EXPORTER_ARTHUR_ENDPOINT="arthur",
        OTEL_EXPORTER_ARTHUR_API_KEY="s3cret",
        OTEL_EXPORTER_ARTHUR_MODEL_ID="m",
    )

    assert done.returncode == 2
    assert "OTEL_EXPORTER_ARTHUR_ENDPOINT" in done.stderr
    assert "s3cret" not in done.stdout + done.stderr


def test_ctrl_c_ends_a_command_without_a_word_of_python(tmp_path: Path) -> None:
    fifo = tmp_path / "endless"
    os.mkfifo(fifo)
    process = subprocess.Popen(
        [sys.executable, "-m", "otel_arthur", "inspect", str(fifo)], stderr=subprocess.PIPE, text=True
    )
    with fifo.open("wb"):  # open for writing once the command has opened it for reading
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=PATIENCE)

    assert (process.returncode, stderr) == (130, "Interrupted.\n")
