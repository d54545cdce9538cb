"""The one door to a person's terminal or a pipe: all that commands print goes through here.

Texts from outside become printable (`printable`). A closed pipe or a full disk behind standard output is
reported as such, whatever the command was doing.
"""

from __future__ import annotations

import errno
import os
import sys
import time
import traceback
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from shutil import get_terminal_size
from typing import Any

import click
import orjson

from otel_arthur.cli.terminal.errors import WorkFailed
from otel_arthur.printable import printable, printable_json

CLOSED_PIPE = 141
"""The exit code where the reader of our output is gone: 128 + SIGPIPE, as in a shell."""

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


def moment(at: float) -> str:
    """A Unix time as this machine's clock shows it."""
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


def size(count: int) -> str:
    """Bytes as megabytes."""
    return f"{count / 1024**2:.1f} MB"


def age(seconds: float) -> str:
    """Seconds in the largest unit that they fill."""
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} s"


def say(line: str = "", *, err: bool = False) -> None:
    """Print one line on standard output, or on standard error with `err`."""
    with written(err=err):
        click.echo(printable(line), err=err)


def styled(lines: Iterable[Sequence[Part]]) -> str:
    """Lines, each of parts of text and style, as they are printed; styles show in a terminal alone."""
    shows_styles = sys.stdout.isatty()
    return "".join(
        [
            "".join([_styled(words, style if shows_styles else "") for words, style in line]) + "\n"
            for line in lines
        ]
    )


def _styled(words: str, style: str) -> str:
    return click.style(printable(words), **_STYLES[style]) if style else printable(words)


def say_error(message: str) -> None:
    """Print why a command ends, as one line on standard error."""
    say(f"Error: {' '.join(message.split())}", err=True)


def say_failure(error: Exception) -> int:
    """Say on one line why a command ends, and give its exit code.

    The traceback of an unforeseen error is printed only with ``OTEL_ARTHUR_DEBUG`` set.
    """
    if isinstance(error, OSError) and error.errno == errno.ENOSPC and error.filename is None:
        give_up_output()  # click's own printing, of a help
        error = WorkFailed(f"standard output cannot be written ({error.strerror})")
    if isinstance(error, getattr(click.exceptions, "NoArgsIsHelpError", ())):  # since click 8.2
        error.show()  # pyright: ignore
        return 2
    if isinstance(error, click.UsageError):
        hint = f" (`{error.ctx.command_path} --help` says more)" if error.ctx is not None else ""
        say_error(f"{error.format_message()}{hint}")
    elif isinstance(error, click.ClickException):
        say_error(error.format_message())
    else:
        if os.environ.get("OTEL_ARTHUR_DEBUG"):
            traceback.print_exception(error)
        say_error(
            f"{type(error).__name__}: {str(error)[:500]}; this is a fault of otel-arthur: "
            "please report it with what OTEL_ARTHUR_DEBUG=1 shows"
        )
    return error.exit_code if isinstance(error, click.ClickException) else WorkFailed.exit_code


def json_line(value: Any) -> str:
    """One line of JSON."""
    document = orjson.dumps(value, default=str, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_APPEND_NEWLINE)
    return printable_json(document).decode()


def print_json(value: Any) -> None:
    """Print one line of JSON on standard output."""
    put(json_line(value))


def put(text: str) -> None:
    """Print a text that is printable, and has its line feeds, on standard output."""
    with written():
        sys.stdout.write(text)
        sys.stdout.flush()


def terminal_width() -> int | None:
    """Columns of the terminal that standard output is; None for a pipe or a file."""
    return get_terminal_size().columns if sys.stdout.isatty() else None


@contextmanager
def written(*, err: bool = False) -> Generator[None, None, None]:
    """Around each print: a failure to print is not taken for one of a file, of the spool, or of Arthur.

    Raises:
        SystemExit: the reader of standard output is gone.
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
    """Drop the text that could not be written: else Python writes it again at exit, and complains."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def make_streams_safe() -> None:
    """Show a character that the terminal's encoding lacks as an escape, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
