"""What becomes of everything that a process hands over: counted, measured, and said once in the log."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from otel_arthur.delivery.counters import Counters
from otel_arthur.delivery.metrics import Metrics
from otel_arthur.delivery.patience import named
from otel_arthur.spool.batches import Appended
from otel_arthur.spool.database import BUSY_SECONDS
from otel_arthur.spool.disk_format import SpoolError
from otel_arthur.spool.records import Kind
from otel_arthur.spool.spool import Spool

_logger = logging.getLogger("otel_arthur")

FULL = "spool full"
BROKEN = "spool failed"


@dataclass(slots=True)
class Submitted:
    """What became of what was submitted, in records: one per choice of a call."""

    spooled: int = 0
    """In the spool now, or known to it before."""
    refused_full: int = 0
    """Not taken: the spool or its disk is full, or the spool is broken."""
    skipped: dict[str, int] = field(default_factory=dict[str, int])
    """Calls left out, by reason."""


class Accounts:
    """Of one process. Safe to use from several threads; a forked child begins with new ones."""

    def __init__(self, spool: Spool, metrics: Metrics) -> None:
        self.counters = Counters(metrics.outcome)
        self._spool = spool
        self._metrics = metrics
        self._lock = threading.Lock()
        self._uncounted: Counter[str] = Counter()

    def skip(self, reason: str, count: int = 1, submitted: Submitted | None = None) -> None:
        """Spans that could have been inferences and are none."""
        self.counters.add("received", count)
        self.counters.add("skipped", count, reason)
        with self._lock:
            self._uncounted[reason] += count
        if submitted is not None:
            submitted.skipped[reason] = submitted.skipped.get(reason, 0) + count

    def unreadable(self, error: Exception, submitted: Submitted, reason: str) -> None:
        """A call that cannot be written as a row."""
        self.skip(reason, 1, submitted)
        if self.counters.is_first(reason):
            name = type(error).__name__
            _logger.warning("otel-arthur: a call cannot be written (%s); it is skipped", name)

    def no_route(self, service_name: str | None, model: str | None) -> None:
        """A call that no route takes, with no model for what is left."""
        if self.counters.is_first("no route"):
            _logger.warning(
                "otel-arthur: no route of OTEL_EXPORTER_ARTHUR_MODELS takes a call of service %.80r to "
                "model %.80r; such calls wait until one does, or OTEL_EXPORTER_ARTHUR_MODEL_ID is set",
                service_name,
                model,
            )

    def appended(self, appended: Appended, submitted: Submitted) -> None:
        """Records given to the spool."""
        self.counters.add("spooled", appended.new)
        self.counters.add("known", appended.known)
        self._metrics.spooled(appended.new)
        submitted.spooled += appended.new + appended.known
        if appended.refused:
            self._dropped(appended.refused, FULL, submitted)
            if self.counters.is_first(FULL):
                _logger.warning(
                    "otel-arthur: inferences are lost: the spool is full (%d MB, "
                    "OTEL_EXPORTER_ARTHUR_SPOOL_MAX_MB)",
                    self._spool.max_bytes // 1024**2,
                )

    def broken(self, count: int, error: Exception, submitted: Submitted) -> None:
        """Records that the spool could not take."""
        self._dropped(count, BROKEN, submitted)
        if self.counters.is_first(f"{BROKEN} {error}"):
            _logger.warning(
                "otel-arthur: inferences are lost: the spool in %s takes nothing (%s)",
                self._spool.folder,
                error,
            )

    def withheld(self) -> None:
        """A text whose redaction failed."""
        self.counters.add("withheld")
        if self.counters.is_first("withheld"):
            _logger.warning("otel-arthur: the redaction of a text failed; such texts are withheld")

    def record_skips(self, patience: float = BUSY_SECONDS) -> None:
        """Write what was skipped to the spool's counters, which outlive the process.

        Args:
            patience: seconds to wait at most where another process holds the spool; then it is tried again
                the next time.
        """
        with self._lock:
            counts, self._uncounted = self._uncounted, Counter()
        if not counts:
            return
        try:
            self._spool.count_skipped(counts, patience)
        except (sqlite3.Error, OSError, SpoolError):
            with self._lock:
                self._uncounted.update(counts)

    def report(self, sent: Mapping[Kind, int], left: Mapping[Kind, int], why: str) -> None:
        """One line when the process ends, if anything was lost or is left, and why."""
        counts = self.counters.snapshot(0)
        kept = self._spool.folder is not None
        parts = [f"{n} lost ({reason})" for reason, n in {**counts.dropped, **counts.dropped_late}.items()]
        if counts.dead_letter:
            parts.append(
                f"{counts.dead_letter} refused by Arthur" + (" (dead letters)" if kept else " and lost")
            )
        if any(left.values()):
            where = f"left in {self._spool.folder} for the next run" if kept else "lost with the memory"
            parts.append(f"{named(left)} not sent, {where}" + (f": {why}" if why else ""))
        if parts:
            _logger.warning("otel-arthur: %s sent, %s", named(sent), ", ".join(parts))

    def _dropped(self, count: int, reason: str, submitted: Submitted) -> None:
        self.counters.add("dropped", count, reason)
        self._metrics.refused(count, reason)
        submitted.refused_full += count
