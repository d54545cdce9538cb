"""One turn of a worker: close the duplicate window, lease what is due, present it, record the outcomes."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Sequence

from otel_arthur.delivery.books.books import Books
from otel_arthur.delivery.books.metrics import Metrics
from otel_arthur.delivery.books.names import name_of, waiting
from otel_arthur.delivery.destinations import Destinations, Served
from otel_arthur.delivery.patience import Progress
from otel_arthur.delivery.retry import backoff
from otel_arthur.notices import Notices
from otel_arthur.spool.batches import Batch, BatchOutcome
from otel_arthur.spool.destination import Destination
from otel_arthur.spool.fallback.backed import BackedSpool
from otel_arthur.spool.outcomes import Outcome
from otel_arthur.target.contract import Presented, Target, Trouble

_logger = logging.getLogger("otel_arthur")


class Turns:
    """Takes batches of one destination at a time to its target. Used by several threads."""

    def __init__(
        self,
        spool: BackedSpool,
        destinations: Destinations,
        books: Books,
        metrics: Metrics,
        notices: Notices,
        progress: Progress,
    ) -> None:
        self._spool = spool
        self._destinations = destinations
        self._books = books
        self._metrics = metrics
        self._notices = notices
        self.progress = progress
        self.request_seconds: float | None = None
        """What a request may take, where that is less than configured."""
        self.recording = threading.Lock()
        """Held while rows leave the spool and are counted: who takes it sees both or neither."""
        self._beginning = threading.Lock()
        self._is_over = False
        self._unbegun: list[Sequence[Batch]] = []
        """Batches that were leased, and for which no request has begun."""
        self._returned: set[int] = set()
        """Numbers of batches on disk that were leased here and wait again."""

    def close_window(self, destination: Destination, target: Target, *, at_once: bool) -> None:
        """Release the rows that the duplicate window has held long enough."""
        with self.recording:
            removed = self._spool.close_window(
                destination.number, target.window, target.judge, at_once=at_once
            )
            self._books.end(Outcome.DUPLICATE, removed, was_taken=True)

    def lease(self, destination: Destination, target: Target) -> list[Batch]:
        """The batches that are due, of the kind that goes first."""
        for kind, terms in target.kinds.items():
            if batches := self._spool.lease(destination.number, kind, terms):
                return batches
        return []

    def deliver(self, destination: Destination, served: Served, batches: Sequence[Batch]) -> None:
        """Present leased batches and record what became of their rows."""
        target = served.target
        until = time.monotonic() + target.kinds[batches[0].kind].seconds - target.request_seconds
        with self._beginning:
            self._unbegun.append(batches)
        self.progress.prepares()
        began = time.perf_counter()
        attempt = _Attempt(self, destination, batches, until)
        presented = _presented(target, destination, batches, attempt)
        self.progress.ended(destination, presented.trouble.text if presented.trouble else "")
        with self._beginning:
            self._forget(batches)
        trouble = presented.trouble
        self._metrics.operation(time.perf_counter() - began, None if trouble is None else trouble.cause)
        # Before the outcomes are on record: whoever sees them also sees whether the destination works.
        if self._is_over:
            pass  # A failure may be of our own making.
        elif trouble is not None:
            self._report(destination, served, trouble, waiting(destination, batches[0].kind))
        else:
            self._works(destination, served)
        self._record(presented)
        for note in presented.notes:
            self._notices.say(*note)

    def end(self) -> None:
        """No request begins from now on, and batches leased for one go back to the spool.

        Raises:
            `FAULTS` of the spool: the leases last until the process ends.
        """
        with self._beginning:
            self._is_over = True
            unbegun = [batch for batches in self._unbegun for batch in batches]
        self._spool.finish([BatchOutcome(batch, waiting=[*batch.rows]) for batch in unbegun])

    def forget_returned(self) -> None:
        """From now on `has_returned` tells whether a batch waits again."""
        self._returned.clear()

    def has_returned(self) -> bool:
        """Whether a batch that was put back still waits, and no other living process has taken it."""
        numbers = [*self._returned]
        return bool(numbers and self._spool.left(self._destinations.numbers, numbers))

    def may_begin(self, batches: Sequence[Batch], until: float) -> bool:
        """Whether a request for these batches may begin; then it counts as begun."""
        with self._beginning:
            may_begin = not self._is_over and time.monotonic() < until
            if may_begin:
                self._forget(batches)
            return may_begin

    def _forget(self, batches: Sequence[Batch]) -> None:
        self._unbegun = [others for others in self._unbegun if others is not batches]

    def _record(self, presented: Presented) -> None:
        for outcome in presented.outcomes:
            if outcome.is_attempt and not outcome.wait:
                outcome.wait = backoff(outcome.batch.attempts + 1)
        with self.recording:
            for outcome in self._spool.finish(presented.outcomes):
                self._count(outcome)
                if outcome.waiting and not outcome.batch.in_memory:
                    self._returned.add(outcome.batch.number)
                else:
                    self._returned.discard(outcome.batch.number)

    def _count(self, outcome: BatchOutcome) -> None:
        _logger.debug(
            "otel-arthur: a batch: %d sent, %d refused, %d skipped, %d to be sent again",
            outcome.sent,
            len(outcome.dead),
            outcome.skipped,
            len(outcome.waiting),
        )
        self._books.end(Outcome.SENT, outcome.sent, was_taken=True)
        self._books.end(Outcome.DEAD_LETTER, len(outcome.dead), was_taken=True)
        self._books.end(Outcome.SKIPPED, outcome.skipped, outcome.skip_reason, was_taken=True)

    def _report(self, destination: Destination, served: Served, trouble: Trouble, rows_wait: str) -> None:
        is_news = served.pacer.failed(trouble.retry_after, slow=trouble.is_slow, reason=trouble.cause)
        if is_news:
            is_on_disk = self._spool.folder is not None and not self._spool.trouble
            where = f"in {self._spool.folder}" if is_on_disk else "in memory"
            _logger.warning("otel-arthur: %s. %s %s, to be sent again.", trouble.text, rows_wait, where)
        self._spool.note_error(destination.number, trouble.text)

    def _works(self, destination: Destination, served: Served) -> None:
        if served.pacer.succeeded():
            self._spool.note_error(destination.number, None)
            _logger.info("otel-arthur: Arthur takes what waits for %s again", destination.model)
        if self._notices.is_first(f"success of {destination}"):
            organization = served.target.organization(destination)
            if organization:
                self._destinations.serve(served.target, *self._spool.confirm(destination, organization))


def _presented(
    target: Target, destination: Destination, batches: Sequence[Batch], attempt: _Attempt
) -> Presented:
    """The target's answer; where the target itself fails, as a module cannot be loaded, all waits."""
    try:
        return target.present(destination, batches, attempt)
    except Exception as error:
        # Others may quote what they failed on.
        is_plain = isinstance(error, (ImportError, OSError))
        why = f"{type(error).__name__}: {error}" if is_plain else type(error).__name__
        _logger.debug("otel-arthur: details", exc_info=True)
        outcomes = [BatchOutcome(batch) for batch in batches]
        for outcome in outcomes:
            outcome.postpone()
        return Presented(outcomes, Trouble(f"no request to {destination.endpoint} can be made ({why})", why))


class _Attempt:
    """See `target.contract.Attempt`: of one turn."""

    def __init__(
        self, turns: Turns, destination: Destination, batches: Sequence[Batch], until: float
    ) -> None:
        self._turns = turns
        self._destination = destination
        self._batches = batches
        self._until = until

    @property
    def timeout(self) -> float | None:
        return self._turns.request_seconds

    def begin(self) -> None:
        self._turns.progress.begun()

    def may_go_on(self) -> bool:
        return self._turns.may_begin(self._batches, self._until)

    def step(self) -> None:
        self._turns.progress.stepped()

    def accept(self, rows: int) -> None:
        self._turns.progress.accept(name_of(self._destination, self._batches[0].kind), rows)
