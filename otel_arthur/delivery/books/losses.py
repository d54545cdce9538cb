"""Rows that a spool had taken and that are gone from the disk: they have ended, too."""

from __future__ import annotations

import logging
from collections.abc import Callable

from otel_arthur.delivery.books.books import BROKEN, Books
from otel_arthur.spool.disk.index.database import BUSY_SECONDS
from otel_arthur.spool.fallback.backed import BackedSpool
from otel_arthur.spool.outcomes import Outcome

_logger = logging.getLogger("otel_arthur")


class LossesOfDisk:
    """Books them.

    Args:
        waiting: how many rows of this process wait, as far as can be read.
    """

    def __init__(self, spool: BackedSpool, books: Books, waiting: Callable[[], int]) -> None:
        self._spool = spool
        self._books = books
        self._waiting = waiting
        self._all_for: str | None = None
        """Why all that waited is gone, where that is not booked yet."""

    def book(self) -> None:
        """Book what is known; the caller sees to it that nothing leaves the spool meanwhile."""
        lost = self._spool.lost()
        for reason, rows in lost.rows.items():
            self._end(rows, reason)
        self._all_for = lost.all_for or self._all_for
        if self._all_for is None:
            return
        before, left = self._books.waiting, self._waiting()
        # Else another thread appends, or the disk cannot be read: the next time tells.
        if before is not None and before == self._books.waiting and self._spool.is_disk_well:
            self._end(max(before - left, 0), self._all_for)
            self._all_for = None

    def give_up_memory(self) -> None:
        """Rows that the disk has not taken end with this process, and the log says so."""
        with self._spool.insisting():
            self._spool.recover(BUSY_SECONDS)
        lost = self._spool.give_up_memory()
        if lost:
            self._books.end(Outcome.DROPPED, lost, BROKEN, was_taken=True)
            _logger.warning(
                "otel-arthur: %d not sent are lost: the spool in %s takes nothing (%s)",
                lost,
                self._spool.folder,
                self._spool.why,
            )

    def _end(self, rows: int, reason: str) -> None:
        if rows:
            self._books.end(Outcome.DROPPED, rows, reason, was_taken=True)
            _logger.warning("otel-arthur: %d not sent are lost: %s", rows, reason)
