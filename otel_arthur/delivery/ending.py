"""The last sending of a delivery: while Arthur accepts rows, then one line that says what is left and why."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from otel_arthur.delivery.accounts import Accounts
from otel_arthur.delivery.patience import Patience, Progress
from otel_arthur.delivery.sender import Sender
from otel_arthur.spool.destination import Destination
from otel_arthur.spool.disk_format import SpoolError
from otel_arthur.spool.records import Kind
from otel_arthur.spool.spool import Spool


class Ending:
    """Of one process's delivery. An end may come several times: a child's, a flush at SIGTERM, the exit.

    Args:
        missing: what must be set before anything can be sent.
    """

    def __init__(
        self, spool: Spool, sender: Sender, accounts: Accounts, progress: Progress, missing: str | None
    ) -> None:
        self._spool = spool
        self._sender = sender
        self._accounts = accounts
        self._progress = progress
        self._missing = missing
        self._gave_up_at: tuple[int, Mapping[Kind, int]] | None = None

    def finish(
        self,
        deadline: float,
        unserved: Iterable[Destination],
        ours: Callable[[], Iterable[Destination]],
    ) -> bool:
        """Send while Arthur accepts rows, until `deadline` at most; say what is left; whether all was sent.

        Where an earlier end gave up and nothing is new since, this one gives up at once.
        """
        self._accounts.record_skips(max(deadline - time.monotonic(), 0.0))
        if self._gave_up_at is not None and self._gave_up_at == self._state():
            return False
        patience = Patience(self._progress, deadline)
        sent = False
        try:
            sent = self._sender.flush(deadline, give_up=self._spool.folder is not None, patience=patience)
        except KeyboardInterrupt:
            patience.why = "the wait was interrupted"
            raise
        finally:
            self._gave_up_at = None if sent else self._state()
            left = self._left(unserved if sent else ours())
            self._accounts.report(self._progress.accepted, left, patience.why or self._missing or "")
        return sent

    def _state(self) -> tuple[int, Mapping[Kind, int]] | None:
        """With nothing new in it, there is nothing to wait for again."""
        try:
            return self._spool.last_number(), self._progress.accepted
        except (sqlite3.Error, OSError, SpoolError):
            return None

    def _left(self, destinations: Iterable[Destination]) -> Counter[Kind]:
        """Rows that wait for these destinations and that no other process is sending."""
        left: Counter[Kind] = Counter()
        with contextlib.suppress(sqlite3.Error, OSError, SpoolError):
            for (_number, kind), rows in self._spool.left({d.number for d in destinations}).items():
                left[kind] += rows
        return left
