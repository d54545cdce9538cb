"""Commands that serve until a signal ends them: their configuration file, their logs, their event loop."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from otel_arthur.cli.configured import refuse
from otel_arthur.cli.parameters import FC
from otel_arthur.cli.terminal.errors import WorkFailed
from otel_arthur.collector.configuration.document import ConfigurationError

if TYPE_CHECKING:
    from otel_arthur.collector.service.service import Service


def config_option(says: str) -> Callable[[FC], FC]:
    """The option that names the configuration's file."""
    return click.option("--config", "path", metavar="FILE", type=click.Path(path_type=Path), help=says)


T = TypeVar("T")
LOG_LEVEL = click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="Level of the JSON lines on standard error.",
)


def readable(read: Callable[[], T]) -> T:
    """What `read` returns.

    Raises:
        WrongUse: the configuration is bad; one line for each problem.
    """
    try:
        return read()
    except ConfigurationError as error:
        refuse(error.problems)
        raise


def serve(service: Callable[[], Service], log_level: str, name: str) -> None:
    """Run a service, made in its event loop, until it ends.

    Raises:
        WorkFailed: an address or the spool cannot be had.
    """
    from otel_arthur.collector.service import logs

    logs.configure(log_level)

    async def run() -> None:
        made = service()
        # Loaded objects stay, and objects of requests die by themselves: to walk both costs a tenth of the
        # CPU.
        gc.freeze()
        gc.set_threshold(10_000)
        await made.run()

    try:
        asyncio.run(run())
    except OSError as error:
        raise WorkFailed(f"the {name} cannot run: {error.strerror or error}") from None
