"""The ``otel-arthur`` command. Each command is a file or a folder of `commands`, loaded when it is called."""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from inspect import cleandoc
from typing import Any

import click

_COMMANDS = {
    "demo": "See calls arrive in Arthur, on this machine: no account, no key, no network.",
    "local": "Run local Arthur: Arthur's API and a dashboard, for development and tests.",
    "onboard": "Create a model that the bridge can fill; prints its id.",
    "models": "List the models that the credentials may see.",
    "check": "Check the configuration: log in, fetch the model, show what fills each attribute.",
    "inspect": "Show the outcome of each span in trace exports; nothing is sent.",
    "replay": "Send the calls in trace exports: backfill, resumable.",
    "ground-truth": "Send ground truth for inferences that Arthur has.",
    "feedback": "Send feedback on answers to the Arthur Engine.",
    "spool": "Look at, drain and repair the spool.",
    "collector": "OTLP in, inferences to Arthur, OTLP out.",
    "core": "The core of the Collector's processor `arthur`, which gets its LLM spans.",
}
"""The first line of each command's help, without importing the command."""


class _Commands(click.Group):
    """Imports a command's file only when it is needed: ``--help`` needs none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        try:
            return _loaded(cmd_name)
        except ModuleNotFoundError as error:
            raise _lacking(cmd_name, error) from None

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as error:  # of a package that the command imports when it needs it
            raise _lacking(ctx.invoked_subcommand or "", error) from None
        except KeyboardInterrupt:  # before click prints an empty line for it
            raise click.Abort from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@cache
def _loaded(name: str) -> click.Command:
    command: click.Command = import_module(f"otel_arthur.cli.commands.{name.replace('-', '_')}").command
    command.help = f"{_COMMANDS[name]}\n\n{cleandoc(command.help or '')}"
    return command


def _lacking(command: str, error: ModuleNotFoundError) -> Exception:
    """What to install where a package is missing that is not ours."""
    from otel_arthur.cli.terminal.errors import WrongUse

    package = (error.name or "").partition(".")[0]
    if package in ("", "otel_arthur"):
        return error
    return WrongUse(
        f"`otel-arthur {command}` needs the package {package}, which is not installed; "
        f"pip install 'otel-arthur[{_EXTRAS.get(command, 'all')}]'"
    )


_EXTRAS = {"local": "local", "demo": "demo", "collector": "collector", "core": "collector"}


@click.group(cls=_Commands, epilog="Start with: otel-arthur demo")
@click.version_option(package_name="otel-arthur")
def cli() -> None:
    """OpenTelemetry bridge to Arthur: LLM spans in, inferences out."""


def main() -> None:
    """Entry point. Exit codes: 0 success, 1 the work failed, 2 wrong use or configuration."""
    from otel_arthur.cli.terminal.output import make_streams_safe, say, say_failure

    make_streams_safe()
    try:
        # Not standalone: click would turn Ctrl-C into "Aborted!" and exit code 1.
        sys.exit(cli.main(prog_name="otel-arthur", standalone_mode=False) or 0)
    except (click.Abort, KeyboardInterrupt):
        say("Interrupted.", err=True)
        sys.exit(130)
    except Exception as error:
        sys.exit(say_failure(error))
