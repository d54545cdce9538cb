"""Programs that tests start: one that ends by itself, or some that a test ends."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from tests.support.waiting import PATIENCE


class Start(Protocol):
    def __call__(self, *command: str | Path, **extra: str) -> subprocess.Popen[bytes]: ...


def finished(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: str | Path | None = None,
    input: str | None = None,
    seconds: float = PATIENCE,
) -> subprocess.CompletedProcess[str]:
    """A program that has ended, with its exit code and what it wrote."""
    return subprocess.run(
        command,
        env=env,
        cwd=cwd,
        input=input,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )


@contextmanager
def starting(environ: Mapping[str, str]) -> Iterator[Start]:
    """Starts programs, each with more variables where a test gives some; ends those that are left."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*command: str | Path, **extra: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            command,
            env={**environ, **extra},
            # Unbuffered, so that no line is lost between `readline` and `communicate`.
            bufsize=0,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


@contextmanager
def serving(
    environ: Mapping[str, str], said: Path, *, cwd: Path | None = None, errors_alone: bool = False
) -> Iterator[Start]:
    """As `starting`, of programs that start others: each has a process group of its own, which is killed.

    Args:
        said: the file of what the latest one writes, to standard error alone where `errors_alone`.
    """
    started: list[subprocess.Popen[bytes]] = []

    def start(*command: str | Path, **extra: str) -> subprocess.Popen[bytes]:
        with said.open("wb") as file:
            process = subprocess.Popen(
                command,
                env={**environ, **extra},
                cwd=cwd,
                stdout=subprocess.DEVNULL if errors_alone else file,
                stderr=file,
                start_new_session=True,
            )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
