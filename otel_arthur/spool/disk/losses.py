"""Rows that a spool had taken and that are gone from it, until somebody books them."""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter
from collections.abc import Mapping
from typing import Final, NamedTuple

DAMAGED: Final = "damaged on disk"
GONE: Final = "gone from the disk"


class Lost(NamedTuple):
    """What was lost since somebody asked."""

    rows: Mapping[str, int]
    """Reason -> rows, where their number is known."""
    all_for: str | None
    """Why every row that waited is gone, if so: nobody can count the rows of an index that cannot be read."""


def uncounted_rest(index: sqlite3.Connection, now: float) -> int:
    """Rows that wait in an index that is gone and that no other process has counted before; they are now.

    Not those that are leased: whoever sends them counts what became of them.

    Raises:
        sqlite3.Error: nobody can count them.
    """
    index.execute("PRAGMA busy_timeout = 2000")
    index.execute("BEGIN IMMEDIATE")
    counted = "ifnull((SELECT value FROM state WHERE name = 'gone'), 0)"
    ((rows,),) = index.execute(
        f"SELECT ifnull(sum(rows), 0) FROM batches WHERE number > {counted} "
        "AND (owner IS NULL OR leased_until <= ?)",
        (now,),
    )
    index.execute(
        "INSERT OR REPLACE INTO state "
        f"SELECT 'gone', max({counted}, ifnull((SELECT max(number) FROM batches), 0))"
    )
    index.execute("COMMIT")
    return rows


class Losses:
    """Of one spool in one process. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: Counter[str] = Counter()
        self._all_for: str | None = None

    def add(self, reason: str, rows: int) -> None:
        """So many rows are gone."""
        with self._lock:
            self._rows[reason] += rows

    def add_index(self, reason: str) -> None:
        """A new index began, and what waited in the one before is not in it."""
        with self._lock:
            self._all_for = reason

    def take(self) -> Lost:
        """The losses that are not booked yet; the caller books them."""
        with self._lock:
            lost = Lost(self._rows, self._all_for)
            self._rows, self._all_for = Counter(), None
            return lost
