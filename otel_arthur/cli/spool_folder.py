"""The spool on disk as the commands open it."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from otel_arthur.cli.configured import SPOOL, configured
from otel_arthur.cli.parameters import given
from otel_arthur.cli.terminal.errors import WorkFailed, WrongUse
from otel_arthur.configuration import Configuration

if TYPE_CHECKING:
    from otel_arthur.spool.spool import Spool

FOLDER = click.option(
    "--dir",
    "folder",
    type=click.Path(file_okay=False),
    callback=given,
    help="The spool's folder, if not the configured one.",
)
JSON = click.option("--json", "as_json", is_flag=True, help="JSON for programs.")


def configuration_for(folder: str | None, *fields: str) -> Configuration:
    """The configuration with this folder, where none of `fields` is bad."""
    return configured(*fields, spool_dir=folder)


def has_database(folder: Path) -> bool:
    """Whether there is a spool in a folder."""
    from otel_arthur.spool.disk.store import DATABASE_NAME

    return (folder / DATABASE_NAME).exists()


@contextmanager
def opened(where: Configuration | str | None) -> Generator[Spool, None, None]:
    """The spool of a configuration or in a folder; what is wrong with it becomes one line."""
    from otel_arthur.spool.errors import SpoolError
    from otel_arthur.spool.spool import Spool

    configuration = where if isinstance(where, Configuration) else configuration_for(where, *SPOOL)
    path = configuration.spool_dir
    if path is None:
        raise WrongUse(
            "OTEL_EXPORTER_ARTHUR_SPOOL_DIR is off: there is no spool on disk; name one with --dir"
        )
    if not has_database(path):
        raise WorkFailed(
            f"there is no spool in {path}; nothing has been spooled there yet, or name another --dir"
        )
    try:
        spool = Spool(path, configuration.spool_max_bytes)
        try:
            yield spool
        finally:
            spool.close()
    except (SpoolError, OSError, sqlite3.Error) as error:
        raise WorkFailed(f"the spool in {path} cannot be used: {error}") from None
