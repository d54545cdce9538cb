"""The last sending of a delivery: while Arthur accepts rows, then one line that says what is left and why."""

from __future__ import annotations

import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping

from otel_arthur.delivery.books.books import Books, LastWord
from otel_arthur.delivery.books.names import name_of
from otel_arthur.delivery.patience import NOT_YET, Patience, Progress
from otel_arthur.delivery.workers import Workers
from otel_arthur.spool.destination import Destination
from otel_arthur.spool.errors import FAULTS
from otel_arthur.spool.fallback.backed import BackedSpool

_logger = logging.getLogger("otel_arthur")


class Ending:
    """Of one process's delivery. An end may come several times: a child's, a flush at SIGTERM, the exit.

    Args:
        missing: what must be set before anything can be sent.
    """

    def __init__(
        self, spool: BackedSpool, workers: Workers, books: Books, progress: Progress, missing: str | None
    ) -> None:
        self._spool = spool
        self._workers = workers
        self._books = books
        self._progress = progress
        self._missing = missing
        self._gave_up_at: tuple[int, Mapping[str, int]] | None = None

    def finish(
        self,
        deadline: float,
        unserved: Iterable[Destination],
        ours: Callable[[], Iterable[Destination]],
    ) -> bool:
        """Send while Arthur accepts rows, until `deadline` at most; say what is left; whether all was sent.

        Where an earlier end gave up and nothing is new since, this one gives up at once.
        """
        if self._gave_up_at is not None and self._gave_up_at == self._state():
            return False
        patience = Patience(self._progress, deadline)
        sent = False
        try:
            sent = self._workers.flush(deadline, give_up=self._spool.folder is not None, patience=patience)
        except KeyboardInterrupt:
            patience.why = "the wait was interrupted"
            raise
        finally:
            self._gave_up_at = None if sent else self._state()
            trouble = self._spool.trouble
            with self._spool.insisting():
                destinations = {one.number: one for one in (unserved if sent else ours())}
                left = self._named(self._spool.left, destinations)
                where = self._spool.out_of_sight
            in_memory = self._named(self._spool.left_in_memory, destinations)
            unseen = max(self._books.open - sum(left.values()), 0) if where else 0
            if patience.why == NOT_YET:
                patience.why = self._spool.unreadable or trouble or NOT_YET
            why = patience.why or self._missing or ""
            word = LastWord(self._progress.accepted, left - in_memory, in_memory, unseen, where, why)
            folder = self._spool.folder
            line = word.line(self._books.counts(0), None if folder is None else str(folder))
            if line is not None:
                _logger.warning("otel-arthur: %s", line)
        return sent

    def _state(self) -> tuple[int, Mapping[str, int]] | None:
        """With nothing new in it, there is nothing to wait for again."""
        try:
            return self._spool.last_number(), self._progress.accepted
        except FAULTS:
            return None

    def _named(
        self,
        left: Callable[[Collection[int]], Mapping[tuple[int, int], int]],
        destinations: Mapping[int, Destination],
    ) -> Counter[str]:
        """By name, rows that wait for these destinations and that no other process is sending."""
        named: Counter[str] = Counter()
        with contextlib.suppress(*FAULTS):
            for (number, kind), rows in left(destinations).items():
                named[name_of(destinations[number], kind)] += rows
        return named
