"""``otel-arthur collector``: OTLP in, inferences to Arthur, the same OTLP out."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from otel_arthur.cli.configured import refuse
from otel_arthur.cli.terminal.errors import WorkFailed, WrongUse
from otel_arthur.cli.terminal.output import say
from otel_arthur.collector.configuration.document import ConfigurationError
from otel_arthur.collector.configuration.sections import CollectorConfiguration, load

_CONFIG = click.option(
    "--config", "path", metavar="FILE", type=click.Path(path_type=Path), help="The YAML file."
)


@click.group(
    invoke_without_command=True,
    epilog="""Example:

\b
  otel-arthur collector --config collector.yaml
  otel-arthur collector validate --config collector.yaml
""",
)
@_CONFIG
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="Of the JSON lines on standard error.",
)
@click.pass_context
def command(context: click.Context, path: Path | None, log_level: str) -> None:
    """What comes in goes on unchanged to the next hop, where the configuration names one.

    SIGHUP reads the file again; SIGTERM finishes what is under way and ends.
    """
    if context.invoked_subcommand is not None:
        return
    configuration = _load(path)
    from otel_arthur.collector.service import logs
    from otel_arthur.collector.service.service import Service

    logs.configure(log_level)
    assert path is not None

    async def run() -> None:
        await Service(configuration, lambda: load(path)).run()

    try:
        asyncio.run(run())
    except OSError as error:
        raise WorkFailed(f"the collector cannot run: {error.strerror or error}") from None


@command.command(epilog="Example: otel-arthur collector validate --config collector.yaml")
@_CONFIG
def validate(path: Path | None) -> None:
    """Check a configuration and say what it would do; exit code 2 when it cannot be used."""
    configuration = _load(path)
    servers = {
        "otlp/grpc": configuration.grpc and configuration.grpc.address,
        "otlp/http": configuration.http and configuration.http.address,
        "health": configuration.health,
        "metrics": configuration.metrics,
    }
    for name, address in servers.items():
        if address is not None:
            say(f"{name:10} listens on {address}")
    forward = configuration.forward
    say(f"{'forward':10} {forward.endpoint if forward else 'nowhere: answers once the spool has it'}")
    for route in configuration.routes:
        match = " and ".join(f"{key}={pattern}" for key, pattern in route.match)
        calls = f"calls with {match}" if match else "all calls that no line above names"
        say(f"{'model':10} {route.model_id}: {calls}")
    say(f"{path} is valid")


def _load(path: Path | None) -> CollectorConfiguration:
    if path is None:
        raise WrongUse("name the configuration: otel-arthur collector --config FILE")
    try:
        return load(path)
    except ConfigurationError as error:
        refuse(error.problems)
        raise
