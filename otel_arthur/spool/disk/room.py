"""How many bytes the rows of a spool take, against its limit."""

from __future__ import annotations

import sqlite3
import time
from typing import Final

_RECOUNT_SECONDS: Final = 10.0
USED: Final = "SELECT ifnull((SELECT CAST(value AS INTEGER) FROM state WHERE name = 'bytes'), 0)"
"""What the triggers of the index have counted of rows that wait and of dead letters."""
_TRUE: Final = (
    "SELECT CAST((SELECT total(bytes) FROM batches) + (SELECT total(bytes) FROM dead_letters) AS INTEGER)"
)
IS_TRUE: Final = f"SELECT ({USED}) = ({_TRUE})"


class Room:
    """The room of one spool. The triggers' count is believed, but checked before a row is refused."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._recount_at = 0.0

    def takes(self, index: sqlite3.Connection, size: int) -> bool:
        """Whether so many bytes more are within the limit; inside the caller's transaction."""
        if index.execute(USED).fetchone()[0] + size <= self.max_bytes:
            return True
        # A spool that is full refuses often, and counting reads the whole index.
        now = time.monotonic()
        if now < self._recount_at:
            return False
        self._recount_at = now + _RECOUNT_SECONDS
        return recounted(index) + size <= self.max_bytes


def recounted(index: sqlite3.Connection) -> int:
    """The bytes as they are, which the index counts from now on."""
    (used,) = index.execute(_TRUE).fetchone()
    index.execute("INSERT OR REPLACE INTO state VALUES ('bytes', ?)", (used,))
    return used
