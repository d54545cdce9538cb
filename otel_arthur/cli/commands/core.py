"""``otel-arthur core``: the processor's other half."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

import click

from otel_arthur.cli.serving import LOG_LEVEL, config_option, readable, serve
from otel_arthur.cli.terminal.errors import WrongUse
from otel_arthur.collector.configuration.sections import CollectorConfiguration, load, parse
from otel_arthur.collector.core.listening import Inherited, Place, place_of
from otel_arthur.collector.core.parent import Parent


@click.command(
    epilog="""Example:

\b
  otel-arthur core --config core.yaml --listen unix:///run/otel-arthur.sock
""",
)
@config_option("The YAML file: sections arthur, engine, spool, limits, health, metrics and service.")
@click.option("--listen", metavar="ADDRESS", help="unix:///path or tcp://host:port.")
@click.option("--config-descriptor", type=int, hidden=True)
@click.option("--listen-descriptor", type=int, hidden=True)
@LOG_LEVEL
def command(
    path: Path | None,
    listen: str | None,
    config_descriptor: int | None,
    listen_descriptor: int | None,
    log_level: str,
) -> None:
    """The processor starts the core, or the core runs beside the Collector with --config and --listen.

    SIGHUP reads the file again; SIGTERM finishes requests under way and ends.
    """
    parent = None if config_descriptor is None else Parent(config_descriptor)
    read: Callable[[], CollectorConfiguration]
    if parent is not None:
        # What the Collector has expanded once is not expanded again.
        text = readable(parent.configuration)
        read = partial(parse, "the Collector's configuration of arthur", text, {}, is_core=True)
    elif path is not None:
        read = partial(load, path, is_core=True)
    else:
        raise WrongUse("name the configuration: otel-arthur core --config FILE --listen unix:///path")
    place = _place(listen, listen_descriptor)
    configuration = readable(read)
    from otel_arthur.collector.core.service import Core

    serve(lambda: Core(configuration, read, place, parent), log_level, "core")


def _place(listen: str | None, descriptor: int | None) -> Place:
    if descriptor is not None:
        # Not for the processes that this one starts.
        os.set_inheritable(descriptor, False)
        return Inherited(descriptor)
    if listen is None:
        raise WrongUse("say where to listen: --listen unix:///path, or --listen tcp://host:port")
    try:
        return place_of(listen)
    except ValueError as error:
        raise WrongUse(f"--listen {error}") from None
