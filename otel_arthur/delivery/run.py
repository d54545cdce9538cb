"""What one process owns of a delivery: its threads, targets, counts. A forked child makes its own."""

from __future__ import annotations

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import replace

from otel_arthur.delivery.books.books import AGE, BROKEN, FULL, TOO_MANY, UNREADABLE, Books, Counts, Submitted
from otel_arthur.delivery.books.losses import LossesOfDisk
from otel_arthur.delivery.books.metrics import Metrics
from otel_arthur.delivery.destinations import Destinations
from otel_arthur.delivery.ending import Ending
from otel_arthur.delivery.patience import Progress
from otel_arthur.delivery.turn import Turns
from otel_arthur.delivery.workers import TOGETHER_SECONDS, Workers
from otel_arthur.genai.call import LLMCall
from otel_arthur.genai.steps.step import Meaning
from otel_arthur.notices import Notices
from otel_arthur.spool.batches import NewBatch
from otel_arthur.spool.destination import Destination
from otel_arthur.spool.disk.index.database import BUSY_SECONDS
from otel_arthur.spool.errors import FAULTS
from otel_arthur.spool.fallback.backed import BackedSpool
from otel_arthur.spool.outcomes import MENDED, Outcome
from otel_arthur.spool.rows import Rows
from otel_arthur.target.contract import Claim, Intake, Target

_logger = logging.getLogger("otel_arthur")
_AT_ONCE = 32
"""How many calls are read before they are written: each step runs warm, and few calls are held."""
_AT_ONCE_BYTES = 256 * 1024
"""Bytes of rows that are written together: large calls go one by one, as fresh memory is dear."""
_STOP_SECONDS = 0.2
"""The wait for threads to end. One that is in a request ends later; the process does not wait for it."""


class Run:
    """Takes rows into the spool, counts them, and has them sent.

    Args:
        max_age: seconds after which what waits is given up.
        missing: what must be set before anything can be sent.
        targets: makes this process's targets; they are given this run.
    """

    def __init__(
        self,
        spool: BackedSpool,
        metrics: Metrics,
        max_age: float | None,
        missing: str | None,
        targets: Callable[[Run], Sequence[Target]],
    ) -> None:
        self._spool = spool
        self._max_age = max_age
        self.lock = threading.RLock()
        """Held while modules are imported: a fork waits for it."""
        self.ended = threading.Event()
        self._all_sent = True
        self.is_shut_down = False
        self.notices = Notices()
        self.books = Books(metrics)
        self.destinations = Destinations()
        self._losses = LossesOfDisk(spool, self.books, lambda: self.level()[0])
        self._at_once = _AT_ONCE
        self._uncounted: Counter[tuple[str, str]] = Counter()
        """Outcome and reason -> things that are no rows, and are not in the spool's counters yet."""
        self._unserved: set[Destination] = set()
        self.targets = targets(self)
        progress = Progress()
        turns = Turns(spool, self.destinations, self.books, metrics, self.notices, progress)
        self._recording = turns.recording
        self.workers = Workers(spool, self.destinations, turns, self._housekeeping)
        self._ending = Ending(spool, self.workers, self.books, progress, missing)
        for target in self.targets:
            self.destinations.serve(target, *target.destinations)

    def take(
        self,
        calls: Iterable[Meaning],
        place: str | None,
        *,
        is_live: bool,
        is_one: Callable[[str], bool] | None = None,
    ) -> Submitted:
        """Have each target take calls and the spans around them, and put their rows into the spool."""
        submitted = Submitted()
        intakes = [target.intake(place, is_live=is_live) for target in self.targets]
        read: list[Meaning] = []
        try:
            for meaning in calls:
                read.append(meaning)
                if len(read) >= self._at_once:
                    self._take(read, intakes, submitted)
        finally:  # whatever becomes of the rest, these were taken
            self._take(read, intakes, submitted)
            for target, intake in zip(self.targets, intakes, strict=True):
                self._mend(intake.mended)
                for destination, batch in intake.batches():
                    if is_one is not None and batch.evidence is not None and is_one(batch.evidence.labels):
                        batch = replace(batch, hold=min(batch.hold, TOGETHER_SECONDS))
                    self.append(target, destination, batch, submitted)
        return submitted

    def _take(self, read: list[Meaning], intakes: Sequence[Intake], submitted: Submitted) -> None:
        for intake, meaning in ((each, one) for each in intakes for one in each.take_copies(read)):
            line = ""
            try:
                reason = intake.take(meaning)
            except Exception as error:  # a call of a shape never seen must not cost its batch
                reason, line = UNREADABLE, f"a call cannot be written ({type(error).__name__}); it is skipped"
            if reason is not None:
                self.leave_out(reason, 1, submitted, line)
        for meaning in read:
            if isinstance(meaning, LLMCall) and meaning.choices_left_out:
                line = "a call has more than 10,000 answers; the others are left out"
                self.leave_out(TOO_MANY, meaning.choices_left_out, submitted, line)
        read.clear()

    def leave_out(self, reason: str, count: int, submitted: Submitted, line: str = "") -> None:
        """Skip calls, or other things that were handed over; `line` is said once."""
        self.skip(reason, count)
        submitted.skipped[reason] = submitted.skipped.get(reason, 0) + count
        if line:
            self.notices.say(reason, line)

    def append(self, target: Target, destination: Destination, batch: NewBatch, submitted: Submitted) -> None:
        """Put rows into the spool, and have them sent."""
        count = len(batch.rows)
        if not count:
            return
        if isinstance(batch.rows, Rows):
            mean = len(batch.rows.contents) // count
            self._at_once = min(max(_AT_ONCE_BYTES // max(mean, 1), 1), _AT_ONCE)
        self.books.receive(count)
        try:
            with self.books.taking():
                appended, in_memory = self._spool.keep(destination, batch)
                self.books.take(appended.new)
        except Exception as error:  # a damaged database may raise anything, and the host is sacred
            self._refuse(count, BROKEN, submitted)
            self.notices.say(
                f"{BROKEN} {type(error).__name__}",
                f"inferences are lost: the spool in {self._spool.folder} takes nothing ({error})",
            )
            return
        self.books.end(Outcome.KNOWN, appended.known)
        submitted.spooled += appended.new + appended.known - in_memory
        submitted.in_memory += in_memory
        if appended.refused:
            trouble = self._spool.trouble
            reason = BROKEN if trouble else FULL
            self._refuse(appended.refused, reason, submitted)
            why = (
                f"{trouble}, and the memory for what it does not take is full"
                if trouble
                else f"the spool is full ({self._spool.max_bytes // 1024**2} MB, "
                "OTEL_EXPORTER_ARTHUR_SPOOL_MAX_MB)"
            )
            self.notices.say(reason, f"inferences are lost: {why}")
        if not destination.is_complete:
            self._unserved.add(destination)
        elif not self.is_shut_down:
            self.destinations.serve(target, destination)
            self.workers.start()
            if in_memory:
                # The others may wait for the disk.
                self.workers.start_another()
            self.workers.wake_within(batch.hold)

    def skip(self, reason: str, count: int = 1) -> None:
        """Spans that could have been inferences and are none."""
        self.books.receive(count)
        self.books.end(Outcome.SKIPPED, count, reason)
        with self.lock:
            self._uncounted[Outcome.SKIPPED.value, reason] += count

    def _mend(self, mended: Mapping[str, int]) -> None:
        for kind, count in mended.items():
            if count:
                self.books.mend(kind, count)
                with self.lock:
                    self._uncounted[MENDED, kind] += count

    def withhold(self) -> None:
        """A text whose redaction failed."""
        self.books.withhold()
        self.notices.say("withheld", "the redaction of a text failed; such texts are withheld")

    def record_skips(self, patience: float = BUSY_SECONDS) -> None:
        """Write what was skipped and mended to the spool's counters, which outlive the process.

        Where another process holds the spool for longer than `patience` seconds, the next time does it.
        """
        with self.lock:
            counts, self._uncounted = self._uncounted, Counter()
        if not counts:
            return
        try:
            self._spool.count(counts, patience)
        except FAULTS:
            with self.lock:
                self._uncounted.update(counts)

    def level(
        self, destinations: Iterable[Destination] | None = None, kind: int | None = None
    ) -> tuple[int, int]:
        """Rows (of a kind) that wait for `destinations`, by default all of ours, and bytes in the spool."""
        found = destinations or self._ours()
        try:
            return self._spool.waiting([one.number for one in found], kind), self._spool.bytes_used()
        except FAULTS:
            return 0, 0

    def is_unserved(self) -> bool:
        """Whether something waits that this process recorded, or would record, but cannot send."""
        served = self.destinations.served
        return bool((self._unserved or not served) and self.level(self._unserved)[0])

    def start(self) -> None:
        """Begin sending, if there is where to."""
        if self.destinations.served and not self.is_shut_down:
            self.workers.start()

    def flush(self, deadline: float, *, calls_only: bool = False) -> bool:
        """Send what is in the spool (of calls) until `deadline` (`time.monotonic`); whether all went."""
        self.record_skips(max(deadline - time.monotonic(), 0.0))
        is_sent = self.workers.flush(deadline, calls_only=calls_only)
        # Once more: the disk may have refused them before.
        self.record_skips(min(BUSY_SECONDS, max(deadline - time.monotonic(), 0.0)))
        return is_sent and not self.is_unserved()

    def finish(self, deadline: float) -> bool:
        """Send while the targets accept rows, until `deadline` at most, then rest; whether all was sent."""
        self.record_skips(max(deadline - time.monotonic(), 0.0))
        sent = self._ending.finish(deadline, self._unserved, self._ours)
        return sent and not self.is_unserved()

    def shutdown(self, deadline: float) -> bool:
        """Send while the targets accept rows, until `deadline` at most, then end; whether all was sent."""
        with self.lock:
            is_first, self.is_shut_down = not self.is_shut_down, True
        if not is_first:
            self.ended.wait(max(deadline - time.monotonic(), 0.0))
            return self._all_sent
        try:
            self._all_sent = self.finish(deadline)
        finally:  # Ctrl-C ends the wait only
            has_stopped = self.workers.stop(time.monotonic() + _STOP_SECONDS)
            for target in self.targets:
                target.close()
            self._losses.give_up_memory()
            if has_stopped and self._spool.folder is not None:
                self._spool.close()
            self.ended.set()
        return self._all_sent

    def at_exit(self, deadline: float) -> None:
        """The process ends. This is no shutdown: one may follow."""
        if self.is_shut_down:
            self.ended.wait(max(deadline - time.monotonic(), 0.0))
        elif self.workers.was_started:
            self.finish(deadline)

    def counts(self) -> Counts:
        """The counts so far. Rows on a disk that cannot be read are the rows that have no outcome yet."""
        with self._recording:
            self._losses.book()
            left = self.level()[0]
            return self.books.counts(max(left, self.books.open) if self._spool.out_of_sight else left)

    def adopt_all(self, places: Collection[str]) -> int:
        """Take over rows that no process serves, of any service, and rows of `places`; returns how many."""
        try:
            return sum(one.adopt(self._spool, Claim(None, True, places)) for one in self.targets)
        except FAULTS as error:
            _logger.warning("otel-arthur: the spool cannot be read (%s)", type(error).__name__)
            return 0

    def _ours(self) -> list[Destination]:
        return [*self.destinations.served, *(own for target in self.targets for own in target.own)]

    def _refuse(self, count: int, reason: str, submitted: Submitted) -> None:
        self.books.end(Outcome.REFUSED, count, reason)
        submitted.refused += count

    def _housekeeping(self, at_once: bool) -> None:
        self.record_skips()
        with self._recording:
            self._losses.book()
        self.books.end(Outcome.DROPPED, self._spool.tidy(self._max_age), AGE, was_taken=True)
        for target in self.targets:
            if target.services:
                target.adopt(self._spool, Claim(target.services, at_once))
