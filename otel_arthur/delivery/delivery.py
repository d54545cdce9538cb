"""`Delivery`: the one door from calls to Arthur, for the exporter and the collector alike."""

from __future__ import annotations

import itertools
import logging
import sqlite3
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from otel_arthur.arthur.clients import Client, client_of
from otel_arthur.arthur.encoding import encode
from otel_arthur.arthur.errors import Unavailable
from otel_arthur.configuration import Configuration
from otel_arthur.delivery import adoption, preparation
from otel_arthur.delivery.accounts import Accounts, Submitted
from otel_arthur.delivery.counters import Counts
from otel_arthur.delivery.dispatch import Dispatcher
from otel_arthur.delivery.ending import Ending
from otel_arthur.delivery.metrics import Metrics
from otel_arthur.delivery.patience import Progress
from otel_arthur.delivery.preparation import Preparation
from otel_arthur.delivery.routes import identity_of, route
from otel_arthur.delivery.schemas import Schemas
from otel_arthur.delivery.sender import Sender
from otel_arthur.genai.call import LLMCall
from otel_arthur.inference.redaction.redactors import checked, redactor_of
from otel_arthur.process import ends, forks
from otel_arthur.spool.batches import NewBatch
from otel_arthur.spool.database import FORK_SECONDS
from otel_arthur.spool.destination import Destination
from otel_arthur.spool.disk_format import SpoolError
from otel_arthur.spool.records import Form, Kind, Record
from otel_arthur.spool.spool import Spool
from otel_arthur.spool.watching import Watch

if TYPE_CHECKING:
    from otel_arthur.arthur.client import ArthurClient

_logger = logging.getLogger("otel_arthur")
_names = itertools.count()
_STOP_SECONDS = 0.2
"""A thread that is in a request ends after it; the process does not wait for that."""


class Delivery:
    """Takes calls, keeps them in the spool, and sends them from threads of its own.

    The constructor starts no thread, opens no connection and never raises, and neither does a method.

    Args:
        metrics: report to the global meter provider.
        sender: a live ``arthurai.ArthurModel``, or anything that has the methods of `ArthurClient`, to send
            through instead of our own client.
    """

    def __init__(self, configuration: Configuration, *, metrics: bool = True, sender: Any = None) -> None:
        configuration = checked(configuration)
        if configuration.unusable:
            # Under an empty endpoint calls wait for a process that is told where they may go.
            configuration = replace(configuration, endpoint="")
        self._given_client, given_model = client_of(sender)
        if given_model is not None:
            # A live model takes everything: ids configured for other exporters are other models.
            configuration = replace(configuration, model_id=given_model or None, routes=())
        self._configuration = configuration
        self._default_model = configuration.model_id
        self._identity = identity_of(configuration) or ("sdk" if sender is not None else "")
        redact = redactor_of(configuration.redact, lambda: self._accounts.withheld())
        self._rules = preparation.rules_of(configuration, redact)
        self._spool = _open_spool(configuration)
        name = str(next(_names))
        self._metrics = Metrics(name, self._spool_level) if metrics else Metrics.off()
        self._is_shut_down = False
        self._is_locked = False
        self._begin()
        forks.watch(self)
        ends.watch_sending(self)

    def submit(
        self, calls: Iterable[LLMCall], model_id: str | None = None, *, is_live: bool = False
    ) -> Submitted:
        """Put the inferences of calls into the spool; what is there when this returns survives the process.

        Args:
            calls: taken one by one, each written as its row before the next is asked for.
            model_id: the model for all of them, instead of the routes.
            is_live: they are of spans that this process has just ended, so they are looked for among the
                latest only: what else may be a repetition (a file, a sender that tries again) is looked
                for among all that are remembered.
        """
        submitted = Submitted()
        configuration = self._configuration
        prepared: dict[str, Preparation] = {}
        default = model_id or (None if configuration.routes else self._default_model or "")
        try:
            for call in calls:
                if not preparation.is_sampled(call.trace_id, configuration.sample_ratio):
                    self._accounts.skip(preparation.NOT_SAMPLED, 1, submitted)
                    continue
                model = self._route(call) if default is None else default
                preparing = prepared.get(model)
                if preparing is None:
                    schema = self._schemas.known(model)
                    preparing = Preparation(schema, self._rules, configuration.duplicate_window)
                    prepared[model] = preparing
                if call.failed and not preparing.takes_failed(configuration.errors):
                    self._accounts.skip(preparation.FAILED_CALL, 1, submitted)
                    continue
                try:
                    preparing.add(call)
                except Exception as error:  # a call of a shape never seen must not cost its batch
                    self._accounts.unreadable(error, submitted, preparation.UNREADABLE)
                    continue
                self._services.add(call.service_name)
        finally:  # whatever becomes of the rest, these were taken
            for model, preparing in prepared.items():
                self._append(self._destination(model), preparing.batch(is_live=is_live), submitted)
        return submitted

    def submit_ground_truth(
        self, rows: Sequence[Mapping[str, Any]], model_id: str | None = None, watch: Watch | None = None
    ) -> Submitted:
        """Put ground truth into the spool; it waits there for its inference.

        Args:
            rows: ``{"partner_inference_id", "ground_truth_timestamp", "ground_truth_data"}`` each.
            model_id: the model of all of them; by default the one whose inference is known here, else the
                configured one.
            watch: is told of the records (see `watch`).
        """
        submitted = Submitted()
        by_model: dict[str, list[Record]] = {}
        for row in rows:
            identity = str(row["partner_inference_id"])
            # The id first: a row is read by its head.
            record = Record(identity, encode({"partner_inference_id": identity, **row}))
            by_model.setdefault(model_id or self._model_of(identity), []).append(record)
        for model, records in by_model.items():
            destination = self._destination(model)
            self._append(destination, NewBatch(Kind.GROUND_TRUTH, Form.ROW, records), submitted)
            if watch is not None:
                watch.add(destination.number, Kind.GROUND_TRUTH, records)
        return submitted

    def skip(self, reason: str, n: int = 1) -> None:
        """Count spans that could have been inferences but were skipped by the reader."""
        self._accounts.skip(reason, n)

    def start(self) -> None:
        """Send what earlier runs left; `submit` starts by itself."""
        if self._sender.destinations and not self._is_shut_down:
            self._sender.start()

    def watch(self) -> Watch:
        """Follows certain records in the spool, for a command that sends nobody else's."""
        return self._spool.watch()

    def flush(self, timeout: float, *, kind: Kind | None = None) -> bool:
        """Send what is in the spool, at most `timeout` seconds; whether all of it (of a `kind`) went.

        False too where calls wait for a key or a model that is not configured: nothing can be sent.
        """
        deadline = time.monotonic() + timeout
        self._accounts.record_skips(timeout)
        return self._sender.flush(deadline, kind=kind) and not self._is_unserved()

    def finish(self, timeout: float) -> bool:
        """Send while Arthur takes rows, at most `timeout` seconds; whether all was sent. Use goes on."""
        return self._finish(time.monotonic() + timeout)

    def shutdown(self, timeout: float) -> bool:
        """Send while Arthur accepts rows, at most `timeout` seconds; the rest stays in the spool. Idempotent.

        Ends early where Arthur fails, as everything is on disk by then, and 3 seconds after the last row that
        Arthur accepted. Once this has returned, nothing of this delivery is sent any more: a request that was
        being written is cut. What Arthur answers to a request that was written whole is still put on record.
        Returns whether all was sent.
        """
        deadline = time.monotonic() + timeout
        with self._lock:
            first, self._is_shut_down = not self._is_shut_down, True
        if not first:
            self._ended.wait(timeout)
            return self._all_sent
        try:
            self._all_sent = self._finish(deadline)
        finally:  # Ctrl-C ends the wait only
            has_stopped = self._sender.stop(time.monotonic() + _STOP_SECONDS)
            # First, so that a thread which makes the client meanwhile does not get it.
            self._is_over = True
            if self._made_client is not None:
                self._made_client.stop()
                self._made_client.close()
            if has_stopped and self._spool.folder is not None:
                self._spool.close()
            self._ended.set()
        return self._all_sent

    def adopt_all(self) -> int:
        """Take over what was spooled while no model or endpoint was configured, whichever service it is of.

        Only where a person says so: by itself a process takes over only what its own services left.
        """
        try:
            return adoption.adopt(self._spool, self._configuration, self._identity, None)
        except (sqlite3.Error, OSError, SpoolError) as error:
            _logger.warning("otel-arthur: the spool cannot be read (%s)", type(error).__name__)
            return 0

    def counts(self) -> Counts:
        """What became of everything in this process so far."""
        return self._accounts.counters.snapshot(self._spool_level()[0])

    def left(self, kind: Kind) -> int:
        """Records of a kind that wait in the spool for this process."""
        try:
            return self._spool.waiting((d.number for d in self._all_destinations()), kind)
        except (sqlite3.Error, OSError, SpoolError):
            return 0

    @property
    def exit_seconds(self) -> float:
        """What an end of the process may take at most."""
        return self._configuration.exit_timeout

    def at_exit(self, began: float) -> None:
        """The process ends. Not a shutdown: the tracer provider's own end may come after this."""
        deadline = began + self.exit_seconds
        if self._is_shut_down:
            self._ended.wait(max(deadline - time.monotonic(), 0.0))
        elif self._sender.was_started:
            self._finish(deadline)

    def before_fork(self) -> None:
        """No thread of ours may be inside SQLite or an import while the process forks."""
        self._is_locked = self._lock.acquire(timeout=FORK_SECONDS)
        self._spool.before_fork()

    def after_fork_in_parent(self) -> None:
        """Go on as before."""
        self._spool.after_fork_in_parent()
        if self._is_locked:
            self._lock.release()

    def after_fork_in_child(self) -> None:
        """Begin as a new process: threads, connections and counts are the parent's."""
        if not self._spool.after_fork_in_child():
            _logger.warning(
                "otel-arthur: the process forked while the spool was in use; the child spools in memory"
            )
            self._spool = Spool(None, self._configuration.spool_max_bytes)
        self._begin()

    def _begin(self) -> None:
        self._lock = threading.RLock()
        self._ended = threading.Event()
        if self._is_shut_down:
            # In the parent: the thread that would say so here is not there.
            self._ended.set()
        self._all_sent = True
        self._services: set[str | None] = set()
        self._unserved: set[Destination] = set()
        self._is_over = self._is_shut_down
        self._made_client: ArthurClient | None = None
        self._accounts = Accounts(self._spool, self._metrics)
        self._schemas = Schemas(self._client, self._configuration)
        self._progress = Progress()
        dispatcher = Dispatcher(
            self._configuration,
            self._spool,
            self._accounts.counters,
            self._metrics,
            self._client,
            self._schemas,
            self._found,
            self._progress,
        )
        self._sender = Sender(self._spool, dispatcher, self._housekeeping)
        self._ending = Ending(
            self._spool, self._sender, self._accounts, self._progress, self._configuration.missing
        )
        if self._identity and self._configuration.endpoint:
            models = dict.fromkeys([self._default_model, *(r.model_id for r in self._configuration.routes)])
            endpoint = self._configuration.endpoint
            for model in filter(None, models):
                # Also what was spooled for this model while no credentials were configured.
                self._found([Destination(endpoint, self._identity, model), Destination(endpoint, "", model)])

    def _finish(self, deadline: float) -> bool:
        sent = self._ending.finish(deadline, self._unserved, self._all_destinations)
        return sent and not self._is_unserved()

    def _append(self, destination: Destination, batch: NewBatch, submitted: Submitted) -> None:
        count = len(batch.records)
        if not count:
            return
        self._accounts.counters.add("received", count)
        try:
            appended = self._spool.append(destination, batch)
        except Exception as error:  # a damaged database may raise anything, and the host is sacred
            self._accounts.broken(count, error, submitted)
            return
        self._accounts.appended(appended, submitted)
        if not destination.is_complete:
            self._unserved.add(destination)
        elif not self._is_shut_down:
            self._found([destination])
            self._sender.start()
            if not batch.hold:
                # What is held is not due: the sender looks again in time.
                self._sender.wake()

    def _route(self, call: LLMCall) -> str:
        model = route(self._configuration, call.service_name, call.request_model) or self._default_model or ""
        if not model:
            self._accounts.no_route(call.service_name, call.request_model)
        return model

    def _destination(self, model: str) -> Destination:
        return Destination(self._configuration.endpoint, self._identity, model)

    def _model_of(self, inference_id: str) -> str:
        """The model whose inference this is."""
        served = {destination.number: destination for destination in self._sender.destinations}
        if len({destination.model for destination in served.values()}) > 1:
            try:
                number = self._spool.destination_of(list(served), inference_id)
            except (sqlite3.Error, OSError, SpoolError):
                number = None
            if number is not None:
                return served[number].model
        return self._default_model or next((d.model for d in served.values()), "")

    def _found(self, destinations: Sequence[Destination]) -> None:
        self._sender.serve(*destinations)

    def _housekeeping(self, at_once: bool) -> None:
        self._accounts.record_skips()
        too_old = self._spool.tidy(self._configuration.spool_max_age)
        self._accounts.counters.add("dropped_late", too_old, "age limit")
        if self._identity and self._configuration.endpoint and self._services:
            adoption.adopt(self._spool, self._configuration, self._identity, self._services, at_once=at_once)

    def _spool_level(self, destinations: Iterable[Destination] | None = None) -> tuple[int, int]:
        """Rows that wait for `destinations`, by default all of ours, and bytes in the spool."""
        try:
            rows = self._spool.waiting(d.number for d in destinations or self._all_destinations())
            return rows, self._spool.bytes_used()
        except (sqlite3.Error, OSError, SpoolError):
            return 0, 0

    def _is_unserved(self) -> bool:
        """Whether something waits that this process recorded, or would record, but cannot send."""
        served = self._sender.destinations
        return bool((self._unserved or not served) and self._spool_level(self._unserved)[0])

    def _all_destinations(self) -> list[Destination]:
        return [
            *self._sender.destinations,
            self._destination(""),
            self._destination(self._default_model or ""),
        ]

    def _client(self) -> Client:
        client = self._given_client or self._own_client()
        if self._is_over:
            raise Unavailable("the exporter was shut down")
        return client

    def _own_client(self) -> ArthurClient:
        with self._lock:
            if self._made_client is None:
                # All that a request imports, under the lock that a fork waits for: a module half imported
                # by a thread that is not there would keep the child waiting for ever.
                import_module("otel_arthur.arthur._adapter")
                from otel_arthur.arthur.client import ArthurClient

                self._made_client = ArthurClient.from_configuration(self._configuration)
            return self._made_client


def _open_spool(configuration: Configuration) -> Spool:
    """The spool on disk, or one in memory where there is none to be had."""
    try:
        return Spool(configuration.spool_dir, configuration.spool_max_bytes)
    except (SpoolError, OSError, sqlite3.Error) as error:
        _logger.warning(
            "otel-arthur: the spool in %s cannot be used (%s); inferences wait in memory only",
            configuration.spool_dir,
            error,
        )
        return Spool(None, configuration.spool_max_bytes)
