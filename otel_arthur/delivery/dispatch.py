"""One turn of a sender: settle what is held, lease what is due, present it, record each row's outcome."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from otel_arthur.arthur.clients import Client
from otel_arthur.arthur.errors import (
    ArthurError,
    ConfigurationError,
    Forbidden,
    NotFound,
    Refused,
    Unauthorized,
)
from otel_arthur.arthur.rows import Outcome, RowResult
from otel_arthur.configuration import Configuration
from otel_arthur.delivery import ground_truth
from otel_arthur.delivery.counters import Counters
from otel_arthur.delivery.duplicates import decide
from otel_arthur.delivery.metrics import Metrics
from otel_arthur.delivery.patience import Progress
from otel_arthur.delivery.preparation import FAILED_CALL, fitted, refitted
from otel_arthur.delivery.retry import Pacer, backoff
from otel_arthur.delivery.schemas import Schemas
from otel_arthur.delivery.sending import Sent, reason_of, send
from otel_arthur.inference.schema import SchemaError
from otel_arthur.spool.batches import Batch, DeadLetter, Settled
from otel_arthur.spool.destination import Destination
from otel_arthur.spool.leases import Limits
from otel_arthur.spool.records import Form, Kind
from otel_arthur.spool.spool import Spool

_logger = logging.getLogger("otel_arthur")

MAX_ATTEMPTS = 20
"""Of a row that Arthur answers with a server error while it answers for others."""
RECHECK_SECONDS = 60.0
"""A refused row makes us look whether the model has changed, but not more often than this."""
NO_TRUTH = (
    "the model has no ground truth attribute; `otel-arthur onboard NAME --ground-truth` creates one that has"
)
_TO_BE_MENDED = (Unauthorized, Forbidden, NotFound, ConfigurationError, Refused, SchemaError)
"""Errors that do not pass by themselves: retried slowly, and said once."""


class Dispatcher:
    """Takes batches of one destination at a time to Arthur. Used by several threads."""

    def __init__(
        self,
        configuration: Configuration,
        spool: Spool,
        counters: Counters,
        metrics: Metrics,
        client: Callable[[], Client],
        schemas: Schemas,
        found: Callable[[Sequence[Destination]], None],
        progress: Progress,
    ) -> None:
        self._configuration = configuration
        self._spool = spool
        self._counters = counters
        self._metrics = metrics
        self._client = client
        self._schemas = schemas
        self._found = found
        self._progress = progress
        self.request_seconds: float | None = None
        """What a request may take, where that is less than configured."""
        self.recording = threading.Lock()
        """Held while rows leave the spool and are counted: who takes it sees both or neither."""
        self._is_stopped = False
        self._limits = Limits(seconds=max(60.0, 4 * configuration.timeout))

    def close_window(self, destination: Destination, *, at_once: bool) -> None:
        """Let go what the duplicate window has held long enough."""
        window = self._configuration.duplicate_window
        with self.recording:
            found = self._spool.close_window(destination.number, window, decide, at_once=at_once)
            self._counters.add("duplicate", found)
        self._metrics.exported(found, None)

    def lease(self, destination: Destination) -> list[Batch]:
        """What is due, inferences first."""
        for kind in Kind:
            if batches := self._spool.lease(destination.number, kind, self._limits):
                return batches
        return []

    def stop(self) -> None:
        """Present nothing any more; outcomes of what was presented are still recorded."""
        self._is_stopped = True

    def deliver(self, destination: Destination, batches: Sequence[Batch], pacer: Pacer) -> None:
        """Present leased batches and record what became of their rows."""
        until = time.monotonic() + self._limits.seconds - self._configuration.timeout

        def is_over() -> bool:
            return self._is_stopped or time.monotonic() >= until

        results = [Settled(batch) for batch in batches]
        kind = batches[0].kind
        error: ArthurError | SchemaError | None = None
        began = time.perf_counter()
        try:
            # Imports what a request needs: a busy machine takes long for that, and Arthur is not to blame.
            self._client()
            self._progress.begun()
            places, rows = self._rows(destination, batches, results)
            sent = self._send(kind, destination.model, rows, is_over)
            error = sent.error
            all_delivered = _are_delivered(sent.results)
            for (result, original), row, outcome in zip(places, rows, sent.results, strict=True):
                if all_delivered or (outcome is not None and outcome.delivered):
                    result.sent += 1
                else:
                    self._judge(destination, result, original, row, outcome)
        except (ArthurError, SchemaError) as failure:
            error = failure
            for result in results:
                result.postpone()
        finally:
            self._progress.ended(destination, str(error or ""))
        self._metrics.operation(time.perf_counter() - began, error)
        # Before the outcomes are on record: whoever sees them also sees whether the destination works.
        if error is not None:
            self._report(destination, pacer, error)
        elif not self._is_stopped:
            self._works(destination, pacer)
        if kind is Kind.GROUND_TRUTH and any(result.dead for result in results):
            self._explain_truths(destination, results)
        with self.recording:
            for result in self._spool.finish(results):
                self._count(destination, result)

    def _send(self, kind: Kind, model: str, rows: Sequence[bytes], is_over: Callable[[], bool]) -> Sent:
        if not rows:
            return Sent([], None)

        def accepted(count: int) -> None:
            self._progress.accept(kind, count)

        return send(self._client(), kind, model, rows, is_over, accepted, timeout=self.request_seconds)

    def _rows(
        self, destination: Destination, batches: Sequence[Batch], results: Sequence[Settled]
    ) -> tuple[list[tuple[Settled, bytes]], list[bytes]]:
        """The rows to present, each with the result it belongs to and the row as it lies in the spool."""
        places: list[tuple[Settled, bytes]] = []
        rows: list[bytes] = []
        for batch, result in zip(batches, results, strict=True):
            if batch.kind is Kind.GROUND_TRUTH:
                ready = ground_truth.ready(self._spool, destination.number, batch.rows)
                result.waiting = [row for row, now in zip(batch.rows, ready, strict=True) if now is None]
                result.wait = ground_truth.POLL_SECONDS
            elif batch.form is Form.CATALOGUE:
                is_news = self._schemas.known(destination.model) is None
                schema = self._schemas.fetched(destination.model, timeout=self.request_seconds)
                if is_news:
                    self._progress.stepped()
                ready = [fitted(row, schema, self._configuration.errors) for row in batch.rows]
                result.skipped, result.skip_reason = ready.count(None), FAILED_CALL
            else:
                ready = batch.rows
            both = zip(batch.rows, ready, strict=True)
            places += [(result, original) for original, row in both if row is not None]
            rows += [row for row in ready if row is not None]
        return places, rows

    def _judge(
        self,
        destination: Destination,
        result: Settled,
        original: bytes,
        row: bytes,
        outcome: RowResult | None,
    ) -> None:
        """Put one row that was not delivered where its outcome belongs."""
        batch = result.batch
        if outcome is None:
            result.waiting.append(original)
        elif outcome.outcome is Outcome.RETRYABLE and batch.attempts < MAX_ATTEMPTS:
            self._retry(result, original)
        elif batch.kind is Kind.GROUND_TRUTH and outcome.status == ground_truth.NOT_FOUND:
            if ground_truth.is_lost(batch.attempts, time.time() - batch.created):
                result.dead.append(DeadLetter(original, reason_of(outcome)))
            else:
                self._retry(result, original)
        elif (mended := self._mended(destination, batch, row)) is not None:
            self._retry(result, mended if batch.form is Form.ROW else original)
        else:
            result.dead.append(DeadLetter(original, reason_of(outcome)))

    def _explain_truths(self, destination: Destination, results: Sequence[Settled]) -> None:
        """Say with refused ground truth that the model takes none, if so."""
        try:
            takes_none = not self._schemas.fetched(destination.model).ground_truth
        except (ArthurError, SchemaError):
            return
        for result in results if takes_none else ():
            result.dead = [
                # Of an inference that Arthur does not know, that is the reason.
                letter
                if letter.reason.startswith(str(ground_truth.NOT_FOUND))
                else DeadLetter(letter.row, f"{letter.reason} ({NO_TRUTH})")
                for letter in result.dead
            ]

    def _retry(self, result: Settled, row: bytes) -> None:
        result.waiting.append(row)
        result.is_attempt = True
        result.wait = max(result.wait, backoff(result.batch.attempts + 1))

    def _mended(self, destination: Destination, batch: Batch, row: bytes) -> bytes | None:
        """A refused row without the attributes that the model lost since; None if that changes nothing."""
        if batch.kind is not Kind.INFERENCE:
            return None
        try:
            schema = self._schemas.fetched(destination.model, older_than=RECHECK_SECONDS)
        except (ArthurError, SchemaError):
            return None
        mended = refitted(row, schema)
        return None if mended == row else mended

    def _report(self, destination: Destination, pacer: Pacer, error: ArthurError | SchemaError) -> None:
        if self._is_stopped:
            return  # it may be of our own making
        retry_after = error.retry_after if isinstance(error, ArthurError) else None
        slow = isinstance(error, _TO_BE_MENDED)
        is_news = pacer.failed(retry_after, slow=slow, reason=type(error).__name__)
        if is_news:
            where = "in memory" if self._spool.folder is None else f"in {self._spool.folder}"
            _logger.warning("otel-arthur: %s. Inferences wait %s and are retried.", error, where)
        self._spool.note_error(destination.number, str(error))

    def _works(self, destination: Destination, pacer: Pacer) -> None:
        if pacer.succeeded():
            self._spool.note_error(destination.number, None)
            _logger.info("otel-arthur: Arthur takes inferences of model %s again", destination.model)
        if self._counters.is_first(f"success of {destination}"):
            organization = self._client().organization_id()
            if organization:
                self._found(self._spool.confirm(destination, organization))

    def _count(self, destination: Destination, result: Settled) -> None:
        self._counters.add("sent", result.sent)
        self._counters.add("dead_letter", len(result.dead))
        self._counters.add("skipped_late", result.skipped, result.skip_reason)
        self._metrics.exported(result.sent + result.skipped, None)
        self._metrics.exported(len(result.dead), "rejected")
        what = "ground truth" if result.batch.kind is Kind.GROUND_TRUTH else "inferences"
        if result.dead and self._counters.is_first(f"dead letters of {destination.model}: {what}"):
            # Arthur's own words may quote a text, so they stay with the dead letter.
            why = f": {NO_TRUTH}" if result.dead[0].reason.endswith(f"({NO_TRUTH})") else ""
            _logger.warning(
                "otel-arthur: Arthur refused %s of model %s for good%s; "
                "`otel-arthur spool dead-letters list` says why",
                what,
                destination.model,
                why,
            )


def _are_delivered(results: Sequence[RowResult | None]) -> bool:
    """Whether all rows were, told at a glance: mostly they share one result."""
    first = results[0] if results else None
    return first is not None and first.delivered and results.count(first) == len(results)
