"""The ``otel-arthur`` command: one file per command, loaded when it is called."""

from __future__ import annotations

import sys
from importlib import import_module

import click

_COMMANDS = {
    "demo": "see it all work on this machine: no account, no key, no network",
    "local": "run local Arthur: the API and a dashboard, for development and tests",
    "onboard": "create a model that the bridge can fill; prints its id",
    "check": "check the configuration: log in, fetch the model, say what fills what",
    "inspect": "say what would become of each span in trace exports, sending nothing",
    "replay": "send the calls in trace exports: backfill, resumable",
    "ground-truth": "send ground truth for inferences that Arthur has",
    "spool": "look at, drain and repair what waits on disk",
    "collector": "OTLP in, inferences to Arthur, OTLP out",
}


class _Commands(click.Group):
    """Imports a command's file only when it is needed: ``--help`` needs none of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        try:
            return import_module(f"otel_arthur.cli.{cmd_name.replace('-', '_')}").command
        except ModuleNotFoundError as error:
            if error.name is None or error.name.startswith("otel_arthur"):
                raise
            raise click.UsageError(
                f"`otel-arthur {cmd_name}` needs the package {error.name}, which is not installed; "
                f"pip install 'otel-arthur[{_EXTRAS.get(cmd_name, 'all')}]'"
            ) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


_EXTRAS = {"local": "local", "demo": "demo", "collector": "collector"}


@click.group(cls=_Commands, epilog="Start with: otel-arthur demo")
@click.version_option(package_name="otel-arthur")
def cli() -> None:
    """OpenTelemetry bridge to Arthur: LLM spans in, inferences out."""


def main() -> None:
    """Entry point. Exit codes: 0 success, 1 the work failed, 2 wrong use or configuration."""
    from otel_arthur.cli.errors import one_line

    try:
        # Not standalone: click would turn Ctrl-C into "Aborted!" and exit code 1.
        sys.exit(cli.main(prog_name="otel-arthur", standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        sys.exit(130)
    except Exception as error:
        sys.exit(one_line(error))
