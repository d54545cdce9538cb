"""Rows that a spool had taken and that are gone from it, until somebody books them."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from typing import Final, NamedTuple

DAMAGED: Final = "damaged on disk"
GONE: Final = "gone from the disk"


class Lost(NamedTuple):
    """What was lost since somebody asked."""

    rows: Mapping[str, int]
    """By reason, where it is known how many."""
    all_for: str | None
    """Why all that waited is gone, if it is: nobody can count rows of an index that cannot be read."""


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
        """What is not booked yet; the caller books it."""
        with self._lock:
            lost = Lost(self._rows, self._all_for)
            self._rows, self._all_for = Counter(), None
            return lost
