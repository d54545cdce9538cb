"""What a spool fails with, beside the errors of the disk and of SQLite."""

from __future__ import annotations

import sqlite3
from typing import Final


class SpoolError(Exception):
    """The spool cannot be used; one line that says why."""


class ForeignDatabase(SpoolError):
    """It has tables, but not ours."""

    def __init__(self) -> None:
        super().__init__("the database is not a spool of otel-arthur")


class NewerFormat(SpoolError):
    """Written by a newer version: left alone."""


FAULTS: Final = (sqlite3.Error, OSError, SpoolError)
"""All that a method of the spool raises where the spool, its disk or its database cannot be used."""
