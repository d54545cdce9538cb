"""The spool for a command: a person waits for its answer."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from otel_arthur.spool import carrying
from otel_arthur.spool.bounded import Bounded
from otel_arthur.spool.disk.database import is_busy
from otel_arthur.spool.disk.holder import holder_of
from otel_arthur.spool.folder import DATABASE_NAME, place_of, settled
from otel_arthur.spool.spool import Spool

_ANSWER_SECONDS: Final = 4.0


def opened(folder: Path, max_bytes: int) -> Spool:
    """The spool of a configured folder, with what lay in that folder itself.

    Raises:
        SpoolError, OSError, sqlite3.Error: it cannot be used, or its disk has not answered.
    """

    def open_() -> Spool:
        place = settled(folder)
        spool = Spool(place.folder, max_bytes)
        carrying.empty(place, spool)
        return spool

    return Bounded().run(open_, _ANSWER_SECONDS, late=lambda spool: spool.close(), instead=lambda: None)


def told(folder: Path, error: Exception) -> str:
    """The error for a person: who holds the database, where it is that."""
    holder = holder_of(place_of(folder).folder / DATABASE_NAME) if is_busy(error) else ""
    return f"{holder} has locked the spool's database; let it go on, or end it" if holder else str(error)
