"""The one door to a person's terminal or a pipe: all that commands print goes through here.

Texts from outside become printable on the way (`printable`), and a closed pipe or a full disk on
standard output is told as that, whatever the command was doing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any

import click
import orjson

from otel_arthur.cli.terminal.errors import WorkFailed
from otel_arthur.printable import printable, printable_json

if TYPE_CHECKING:
    from otel_arthur.cli.terminal.screen import Screen

CLOSED_PIPE = 141
"""The exit code where whoever read our output has gone: 128 + SIGPIPE, as a shell says it."""

Part = tuple[str, str]
"""Words and the name of their style, which may be empty."""

_STYLES: dict[str, dict[str, Any]] = {
    "bold": {"bold": True},
    "dim": {"dim": True},
    **{colour: {"fg": colour} for colour in ("green", "cyan", "red", "yellow")},
}


def plural(number: int, noun: str) -> str:
    """``1 inference``, ``2 inferences``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def say(line: str = "", *, err: bool = False) -> None:
    """Print one line on standard output, or on standard error with `err`."""
    with written(err=err):
        click.echo(printable(line), err=err)


def say_styled(lines: Iterable[Sequence[Part]]) -> None:
    """Print lines, each of parts of text and style, on standard output; styles show in a terminal alone."""
    with written():
        click.echo("\n".join(["".join([_styled(*part) for part in line]) for line in lines]))


def _styled(words: str, style: str) -> str:
    return click.style(printable(words), **_STYLES[style]) if style else printable(words)


def say_error(message: str) -> None:
    """Print why a command ends, as one line on standard error."""
    say(f"Error: {' '.join(message.split())}", err=True)


def print_json(value: Any) -> None:
    """Print one line of JSON on standard output."""
    document = orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_APPEND_NEWLINE)
    with written():
        click.echo(printable_json(document), nl=False)


def terminal_width() -> int | None:
    """Columns of the terminal that standard output is; None for a pipe or a file."""
    return get_terminal_size().columns if sys.stdout.isatty() else None


def screen(*, err: bool = False) -> Screen:
    """A console for tables and styled lines on standard output, or on standard error with `err`."""
    from otel_arthur.cli.terminal.screen import Screen  # Imported late: it brings `rich` along.

    return Screen(stderr=err)


@contextmanager
def written(*, err: bool = False) -> Generator[None, None, None]:
    """A failure to print leaves as one: it is no fault of a file, of the spool, or of Arthur.

    Raises:
        SystemExit: whoever read standard output is gone.
        WorkFailed: standard output cannot be written, as on a full disk.
    """
    try:
        yield
    except OSError as error:
        if err:
            return  # Nobody can be told.
        give_up_output()
        if isinstance(error, BrokenPipeError):
            raise SystemExit(CLOSED_PIPE) from None
        raise WorkFailed(f"standard output cannot be written ({error.strerror or error})") from None


def give_up_output() -> None:
    """Forget what could not be written: else Python tries once more at its exit, and complains."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def make_streams_safe() -> None:
    """No character that the terminal's encoding lacks ends a command: it is shown as an escape."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
