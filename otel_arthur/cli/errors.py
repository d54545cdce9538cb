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


def one_line(error: Exception) -> int:
    """Print an unforeseen error as one line; its traceback only with ``OTEL_ARTHUR_DEBUG`` set."""
    if os.environ.get("OTEL_ARTHUR_DEBUG"):
        traceback.print_exception(error)
    click.echo(f"Error: {type(error).__name__}: {' '.join(str(error).split())[:500]}", err=True)
    return 1
