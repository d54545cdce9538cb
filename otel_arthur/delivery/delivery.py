"""`Delivery`: the one door from calls to Arthur, for the exporter and the collector alike."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from otel_arthur.arthur.encoding import encode
from otel_arthur.configuration import Configuration
from otel_arthur.delivery import preparation, settlement
from otel_arthur.delivery.counters import Counters, Counts
from otel_arthur.delivery.database import SpoolError
from otel_arthur.delivery.destination import Destination, identity_of, model_of
from otel_arthur.delivery.records import Form, Kind, Record
from otel_arthur.delivery.sender import Sender
from otel_arthur.delivery.sending import Client
from otel_arthur.delivery.spool import Appended, Spool
from otel_arthur.genai.call import LLMCall

_logger = logging.getLogger("otel_arthur")

WINDOW_SECONDS = 10.0
FULL = "spool full"
BROKEN = "spool failed"


@dataclass(slots=True)
class Submitted:
    """What became of what was submitted, in records: one per choice of a call."""

    spooled: int = 0
    """In the spool now, or known to it before."""
    refused_full: int = 0
    """Not taken: the spool is full, or its disk is."""
    skipped: dict[str, int] = field(default_factory=dict[str, int])
    """Calls left out, by reason."""


class Delivery:
    """Takes calls, keeps them in the spool, and sends them from threads of its own.

    The constructor starts no thread, opens no connection and never raises.

    Args:
        sender: a client to send through instead of our own.
        window: seconds that a call waits for a duplicate; 0 where duplicates were left out before.
    """

    def __init__(
        self,
        configuration: Configuration,
        *,
        metrics: bool = True,
        sender: Any = None,
        window: float = WINDOW_SECONDS,
    ) -> None:
        self._configuration = configuration
        self._counters = Counters()
        self._identity = identity_of(configuration)
        self._given_client: Client | None = sender
        self._made_client: Client | None = None
        self._lock = threading.RLock()
        self._rules = preparation.rules_of(configuration, None)
        self._window = window
        self._spool = _open_spool(configuration)
        self._sender = Sender(configuration, self._spool, self._counters, self._client, self._window)
        self._is_shut_down = False

    def submit(self, calls: Sequence[LLMCall], model_id: str | None = None) -> Submitted:
        """Put the inferences of calls into the spool; what is there when this returns survives the process.

        Args:
            model_id: the model for all of them, instead of the routes.
        """
        submitted = Submitted()
        by_model: dict[str, list[LLMCall]] = {}
        for call in calls:
            if not preparation.is_sampled(call.trace_id, self._configuration.sample_ratio):
                self._skip(submitted, preparation.NOT_SAMPLED)
                continue
            model = model_id or model_of(call, self._configuration)
            schema = self._sender.schemas.known(model)
            if not preparation.is_wanted(call.failed, self._configuration.errors, schema):
                self._skip(submitted, preparation.FAILED_CALL)
                continue
            by_model.setdefault(model, []).append(call)
        for model, group in by_model.items():
            schema = self._sender.schemas.known(model)
            prepared = preparation.prepare(group, schema, self._rules)
            evidence = settlement.pack(group) if self._window else None
            self._append(model, Kind.INFERENCE, prepared.form, prepared.records, submitted, evidence)
        return submitted

    def submit_ground_truth(
        self, rows: Sequence[Mapping[str, Any]], model_id: str | None = None
    ) -> Submitted:
        """Put ground truth into the spool: rows of ``PATCH /models/{id}/inferences``."""
        submitted = Submitted()
        model = model_id or self._configuration.model_id or ""
        records = [Record(str(row["partner_inference_id"]), encode(row)) for row in rows]
        self._append(model, Kind.GROUND_TRUTH, Form.ROW, records, submitted, None)
        return submitted

    def skip(self, reason: str, n: int = 1) -> None:
        """Count spans that the reader skipped."""
        self._counters.add("received", n)
        self._counters.add("skipped", n, reason)

    def flush(self, timeout: float) -> bool:
        """Send what is in the spool, at most `timeout` seconds; whether all of it went."""
        return self._sender.flush(time.monotonic() + timeout)

    def shutdown(self, timeout: float) -> bool:
        """Send what can be sent within `timeout` seconds; the rest stays in the spool. Idempotent."""
        deadline = time.monotonic() + timeout
        with self._lock:
            if self._is_shut_down:
                return True
            self._is_shut_down = True
        done = self._sender.flush(deadline, give_up=self._spool.folder is not None)
        if self._sender.stop(deadline):
            self._spool.close()
        return done

    def counts(self) -> Counts:
        """What became of everything so far."""
        return self._counters.snapshot(self._spool.waiting(self._sender.destinations))

    def _append(
        self,
        model: str,
        kind: Kind,
        form: Form,
        records: Sequence[Record],
        submitted: Submitted,
        evidence: tuple[str, bytes] | None,
    ) -> None:
        if not records:
            return
        self._counters.add("received", len(records))
        destination = Destination(self._configuration.endpoint, self._identity, model)
        try:
            number = self._spool.number_of(destination)
            appended = self._spool.append(
                number, kind, form, records, evidence=evidence, hold=self._window if evidence else 0.0
            )
        except (sqlite3.Error, OSError) as error:
            _logger.warning("otel-arthur: the spool took nothing (%s)", type(error).__name__)
            self._counters.add("dropped", len(records), BROKEN)
            submitted.refused_full += len(records)
            return
        self._count(appended, submitted)
        if destination.is_complete:
            self._sender.serve(number, model)
            self._sender.start()
            self._sender.wake()

    def _count(self, appended: Appended, submitted: Submitted) -> None:
        self._counters.add("spooled", appended.new)
        self._counters.add("known", appended.known)
        self._counters.add("dropped", appended.refused, FULL)
        submitted.spooled += appended.new + appended.known
        submitted.refused_full += appended.refused

    def _skip(self, submitted: Submitted, reason: str) -> None:
        self.skip(reason)
        submitted.skipped[reason] = submitted.skipped.get(reason, 0) + 1

    def _client(self) -> Client:
        if self._given_client is not None:
            return self._given_client
        with self._lock:
            if self._made_client is None:
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
