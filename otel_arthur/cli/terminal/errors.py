"""Errors for people: one clear line on stderr and an exit code, never a traceback."""

from __future__ import annotations

import click


class WorkFailed(click.ClickException):
    """The command was right but its work failed: exit 1."""

    exit_code = 1


class WrongUse(click.ClickException):
    """The command or the configuration is wrong: exit 2."""

    exit_code = 2
