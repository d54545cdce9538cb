"""The spool on disk as the commands open it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from otel_arthur.cli.configured import SPOOL, configured
from otel_arthur.cli.parameters import given
from otel_arthur.cli.terminal.errors import WorkFailed, WrongUse
from otel_arthur.configuration import Configuration
from otel_arthur.spool.errors import FAULTS

if TYPE_CHECKING:
    from otel_arthur.spool.spool import Spool

FOLDER = click.option(
    "--dir",
    "folder",
    type=click.Path(file_okay=False),
    callback=given,
    help="The spool's folder, if not the configured one.",
)


def has_database(folder: Path) -> bool:
    """Whether there is a spool of this user in a folder; WorkFailed where there is only another user's."""
    from otel_arthur.spool.commands import require_answer
    from otel_arthur.spool.folder import owner_of, place_of

    try:
        require_answer(folder)
        place = place_of(folder)
    except FAULTS as error:
        raise _unusable(folder, error) from None
    if place.outer is not None or owner_of(place.folder) is not None:
        return True
    owner = owner_of(folder)
    if owner is not None:
        raise WorkFailed(
            f"the spool in {folder} belongs to user {owner}: run the command as that user; "
            f"a spool of yours would lie in {place.folder}, and there is none"
        )
    return False


@contextmanager
def opened(
    where: Configuration | str | None, *, writes: bool = False, grows: bool = False
) -> Generator[Spool, None, None]:
    """The spool of a configuration or in a folder; a fault of the spool becomes one line.

    Args:
        writes: the command changes what is in it.
        grows: the command asks whether calls could be added.
    """
    from otel_arthur.spool import commands

    configuration = where if isinstance(where, Configuration) else configured(*SPOOL, spool_dir=where)
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
        limit = configuration.spool_max_bytes
        with closing(commands.opened(path, limit, writes=writes, grows=grows)) as spool:
            yield spool
    except FAULTS as error:
        raise _unusable(path, commands.told(path, error)) from None


def _unusable(folder: Path, error: Exception | str) -> WorkFailed:
    return WorkFailed(f"the spool in {folder} cannot be used: {error}")
