"""Errors for people: one clear line on stderr and an exit code, never a traceback."""

from __future__ import annotations

import errno
import os
import traceback

import click


class WorkFailed(click.ClickException):
    """The command was right but its work failed: exit 1."""

    exit_code = 1


class WrongUse(click.ClickException):
    """The command or the configuration is wrong: exit 2."""

    exit_code = 2


def told(error: Exception) -> int:
    """Say on one line why a command ends, and give its exit code.

    The traceback of an unforeseen error is printed only with ``OTEL_ARTHUR_DEBUG`` set.
    """
    from otel_arthur.cli.terminal.output import give_up_output, say_error

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
        say_error(f"{type(error).__name__}: {str(error)[:500]}")
    return error.exit_code if isinstance(error, click.ClickException) else WorkFailed.exit_code
