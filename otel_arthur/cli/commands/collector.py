"""``otel-arthur collector``: OTLP in, inferences to Arthur, the same OTLP out."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import click

from otel_arthur.cli.parameters import JSON
from otel_arthur.cli.serving import LOG_LEVEL, config_option, readable, serve
from otel_arthur.cli.terminal.errors import WrongUse
from otel_arthur.cli.terminal.output import print_json, say
from otel_arthur.collector.configuration.sections import CollectorConfiguration, load

_CONFIG = config_option("The YAML file.")


@click.group(
    invoke_without_command=True,
    epilog="""Example:

\b
  otel-arthur collector --config collector.yaml
  otel-arthur collector validate --config collector.yaml
""",
)
@_CONFIG
@LOG_LEVEL
@click.pass_context
def command(context: click.Context, path: Path | None, log_level: str) -> None:
    """Each request goes on unchanged to the next hop, if the configuration names one.

    SIGHUP reads the file again; SIGTERM finishes requests under way and ends.
    """
    if context.invoked_subcommand is not None:
        return
    read = _reader(path)
    configuration = readable(read)
    from otel_arthur.collector.service.service import Service

    serve(lambda: Service(configuration, read), log_level, "collector")


@command.command(epilog="Example: otel-arthur collector validate --config collector.yaml")
@_CONFIG
@JSON
def validate(path: Path | None, as_json: bool) -> None:
    """Check a configuration and say what it would do; exit code 2 when it cannot be used."""
    configuration = readable(_reader(path))
    servers = {
        "otlp/grpc": configuration.grpc and configuration.grpc.address,
        "otlp/http": configuration.http and configuration.http.address,
        "health": configuration.health,
        "metrics": configuration.metrics,
    }
    servers = {name: address for name, address in servers.items() if address is not None}
    forward = configuration.forward
    if as_json:
        routes = [{"model": route.model_id, "match": dict(route.match)} for route in configuration.routes]
        endpoint = forward.endpoint if forward else None
        print_json({"valid": True, "listens": servers, "forward": endpoint, "routes": routes})
        return
    for name, address in servers.items():
        say(f"{name:10} listens on {address}")
    say(f"{'forward':10} {forward.endpoint if forward else 'nowhere: answers once the spool has it'}")
    for route in configuration.routes:
        match = " and ".join(f"{key}={pattern}" for key, pattern in route.match)
        calls = f"calls with {match}" if match else "all calls that no line above names"
        say(f"{'model':10} {route.model_id}: {calls}")
    say(f"{path} is valid")


def _reader(path: Path | None) -> Callable[[], CollectorConfiguration]:
    if path is None:
        raise WrongUse("name the configuration: otel-arthur collector --config FILE")
    return partial(load, path)
