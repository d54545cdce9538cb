"""The threads that take records from the spool to Arthur."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence

from otel_arthur.arthur.errors import (
    ArthurError,
    ConfigurationError,
    Forbidden,
    NotArthur,
    NotFound,
    Refused,
    Unauthorized,
)
from otel_arthur.arthur.rows import Outcome
from otel_arthur.arthur.suppression import suppress_instrumentation
from otel_arthur.configuration import Configuration
from otel_arthur.delivery import settlement
from otel_arthur.delivery.counters import Counters
from otel_arthur.delivery.preparation import FAILED_CALL, fitted, refitted
from otel_arthur.delivery.records import Form, Kind
from otel_arthur.delivery.retry import Pacer, backoff
from otel_arthur.delivery.schemas import Schemas
from otel_arthur.delivery.sending import Client, Sent, reason_of, send
from otel_arthur.delivery.spool import Batch, DeadLetter, Settled, Spool
from otel_arthur.inference.schema import SchemaError

_logger = logging.getLogger("otel_arthur")

MAX_ROWS = 512
MAX_BYTES = 4 * 1024 * 1024
THREADS = 3
IDLE_SECONDS = 5.0
"""Between looks at the spool for what other processes left."""
MAX_ATTEMPTS = 20
"""Of a row that Arthur answers with a server error while it takes others."""
_MEND = (Unauthorized, Forbidden, NotFound, ConfigurationError, Refused)


class Sender:
    """Up to `THREADS` threads, started one by one as there is work. Each holds one lease at a time."""

    def __init__(
        self,
        configuration: Configuration,
        spool: Spool,
        counters: Counters,
        client: Callable[[], Client],
        window: float,
    ) -> None:
        self._configuration = configuration
        self._spool = spool
        self._counters = counters
        self._window = window
        self.schemas = Schemas(client, configuration)
        self._client = client
        self._destinations: dict[int, str] = {}
        self._pacers: dict[int, Pacer] = {}
        self._changed = threading.Condition()
        self._turn = 0
        self._stopping = False
        self._flushing = 0
        self._threads: list[threading.Thread] = []
        self._lease_seconds = max(60.0, 4 * configuration.timeout)

    def serve(self, number: int, model: str) -> None:
        """Send from this destination too."""
        if number not in self._destinations:
            self._pacers[number] = Pacer()
            self._destinations = {**self._destinations, number: model}

    @property
    def destinations(self) -> Sequence[int]:
        """The numbers of the destinations served."""
        return list(self._destinations)

    def start(self) -> None:
        """Begin sending; the first thread starts the others when there is more than it can take."""
        if not self._threads and not self._stopping:
            self._add_thread()

    def wake(self) -> None:
        """There is something new to look at."""
        with self._changed:
            self._turn += 1
            self._changed.notify_all()

    def flush(self, deadline: float, *, give_up: bool = False) -> bool:
        """Send what is in the spool now, until `deadline` on `time.monotonic`'s clock; whether all went.

        Args:
            give_up: stop as soon as each destination that is left has failed once more: it is on disk.
        """
        up_to = self._spool.last_number()
        before = {number: pacer.failures for number, pacer in self._pacers.items()}
        self._flushing += 1
        try:
            self.start()
            for pacer in self._pacers.values():
                pacer.hurry()
            while True:
                self.wake()
                left = [n for n in self._destinations if self._spool.waiting([n], up_to)]
                if not left:
                    return True
                remaining = deadline - time.monotonic()
                if remaining <= 0 or (give_up and all(self._has_failed(n, before) for n in left)):
                    return False
                with self._changed:
                    self._changed.wait(min(remaining, 0.05))
        except sqlite3.Error as error:
            _logger.warning("otel-arthur: the spool cannot be read (%s)", type(error).__name__)
            return False
        finally:
            self._flushing -= 1

    def stop(self, deadline: float) -> bool:
        """End the threads; whether they ended by `deadline`."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(max(deadline - time.monotonic(), 0.0))
        return not any(thread.is_alive() for thread in self._threads)

    def _has_failed(self, number: int, before: dict[int, int]) -> bool:
        return self._pacers[number].failures > before.get(number, 0)

    def _add_thread(self) -> None:
        name = f"otel-arthur-sender-{len(self._threads) + 1}"
        thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _run(self) -> None:
        with suppress_instrumentation():
            while not self._stopping:
                turn = self._turn
                try:
                    wait = 0.0 if self._work() else self._idle_seconds()
                except Exception as error:  # a sender must outlive whatever happens to a batch
                    _logger.warning("otel-arthur: sending was interrupted (%s)", type(error).__name__)
                    wait = IDLE_SECONDS
                with self._changed:
                    if wait and turn == self._turn and not self._stopping:
                        self._changed.wait(wait)

    def _idle_seconds(self) -> float:
        due = settlement.next_due(self._spool, self._destinations) if self._destinations else None
        if due is None:
            return IDLE_SECONDS
        closed = min((pacer.seconds_left for pacer in self._pacers.values()), default=0.0)
        return min(max(due, closed, 0.05), IDLE_SECONDS)

    def _work(self) -> bool:
        """Send one request's worth; whether there was anything."""
        for number, model in self._destinations.items():
            pacer = self._pacers[number]
            if not pacer.enter():
                continue
            try:
                found = settlement.settle(self._spool, number, self._window, at_once=self._flushing > 0)
                self._counters.add("duplicate", found)
                for kind in Kind:
                    batches = self._spool.lease(
                        [number], kind, max_rows=MAX_ROWS, max_bytes=MAX_BYTES, seconds=self._lease_seconds
                    )
                    if batches:
                        self._start_another()
                        self._deliver(number, model, kind, batches, pacer)
                        return True
            finally:
                pacer.leave()
        return False

    def _start_another(self) -> None:
        with self._changed:
            if len(self._threads) < THREADS and not self._stopping:
                self._add_thread()

    def _deliver(self, number: int, model: str, kind: Kind, batches: list[Batch], pacer: Pacer) -> None:
        until = time.monotonic() + self._lease_seconds - self._configuration.timeout
        results = [Settled(batch) for batch in batches]
        try:
            places, rows = self._rows(model, batches, results)
            sent = send(self._client(), kind, model, rows, until=until) if rows else Sent([], None)
        except (ArthurError, SchemaError) as error:
            wait = self._failed(number, pacer, error)
            for result in results:
                result.waiting, result.wait = result.batch.rows, 0.0
            self._spool.finish(results)
            return
        for (result, original), outcome in zip(places, sent.results, strict=True):
            if outcome is None or outcome.outcome is Outcome.RETRYABLE:
                if outcome is not None and result.batch.attempts >= MAX_ATTEMPTS:
                    result.dead.append(DeadLetter(original, reason_of(outcome)))
                    continue
                result.waiting.append(original)
                if outcome is not None:
                    result.wait = result.wait or backoff(result.batch.attempts)
            elif outcome.delivered:
                result.sent += 1
            else:
                result.dead.append(DeadLetter(original, reason_of(outcome)))
        self._spool.finish(results)
        for result in results:
            self._counters.add("sent", result.sent)
            self._counters.add("dead_letter", len(result.dead))
            self._counters.add("skipped", result.skipped, result.skip_reason)
        if sent.error is not None:
            self._failed(number, pacer, sent.error)
        else:
            pacer.succeeded()
        with self._changed:
            self._changed.notify_all()

    def _rows(
        self, model: str, batches: Sequence[Batch], results: Sequence[Settled]
    ) -> tuple[list[tuple[Settled, bytes]], list[bytes]]:
        """The rows to present, each with the result it belongs to and the row as it lies in the spool."""
        places: list[tuple[Settled, bytes]] = []
        rows: list[bytes] = []
        for batch, result in zip(batches, results, strict=True):
            if batch.form is Form.ROW:
                places += [(result, row) for row in batch.rows]
                rows += batch.rows
                continue
            schema = self.schemas.fetched(model)
            for row in batch.rows:
                ready = fitted(row, schema, self._configuration.errors)
                if ready is None:
                    result.skipped += 1
                    result.skip_reason = FAILED_CALL
                else:
                    places.append((result, row))
                    rows.append(ready)
        return places, rows

    def _failed(self, number: int, pacer: Pacer, error: ArthurError | SchemaError) -> float:
        slow = isinstance(error, (*_MEND, SchemaError))
        retry_after = error.retry_after if isinstance(error, ArthurError) else None
        is_first = pacer.failures == 0
        wait = pacer.failed(retry_after, slow=slow)
        if is_first:
            where = "in memory" if self._spool.folder is None else "on disk"
            _logger.warning("otel-arthur: %s. Inferences wait %s; retrying.", error, where)
        self._spool.note_error(number, str(error))
        with self._changed:
            self._changed.notify_all()
        return wait
