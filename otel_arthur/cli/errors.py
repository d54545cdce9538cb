"""Errors for people: one clear line on stderr and an exit code, never a traceback."""

from __future__ import annotations

import os
import traceback

import click


class WorkFailed(click.ClickException):
    """The command was right but its work failed: exit 1."""

    exit_code = 1


class WrongUse(click.ClickException):
    """The command or the configuration is wrong: exit 2."""

    exit_code = 2


def wrong_use(error: click.UsageError) -> int:
    """Print one line for a command that was not understood; its help where nothing was said at all."""
    if isinstance(error, getattr(click.exceptions, "NoArgsIsHelpError", ())):  # since click 8.2
        error.show()
        return error.exit_code
    hint = f" (`{error.ctx.command_path} --help` says more)" if error.ctx is not None else ""
    click.echo(f"Error: {' '.join(error.format_message().split())}{hint}", err=True)
    return error.exit_code


def one_line(error: Exception) -> int:
    """Print an unforeseen error as one line; its traceback only with ``OTEL_ARTHUR_DEBUG`` set."""
    if os.environ.get("OTEL_ARTHUR_DEBUG"):
        traceback.print_exception(error)
    click.echo(f"Error: {type(error).__name__}: {' '.join(str(error).split())[:500]}", err=True)
    return 1
