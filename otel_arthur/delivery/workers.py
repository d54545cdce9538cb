"""The threads that take records from the spool to Arthur."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Mapping

from otel_arthur.delivery.destinations import Destinations, Served
from otel_arthur.delivery.patience import Patience
from otel_arthur.delivery.turn import Turns
from otel_arthur.http.suppression import suppress_instrumentation
from otel_arthur.process.threads import thread_of
from otel_arthur.spool.destination import Destination
from otel_arthur.spool.errors import FAULTS
from otel_arthur.spool.fallback.backed import BackedSpool

_logger = logging.getLogger("otel_arthur")

THREADS = 3
"""Requests in flight at most."""
IDLE_SECONDS = 5.0
"""Between looks at the spool for what other processes left in it."""
TIDY_SECONDS = 300.0
TOGETHER_SECONDS = 0.25
"""What is due within this time is sent together: requests with few rows cost as much as those with many."""
_FLUSH_POLL_SECONDS = 0.1


class Workers:
    """Up to `THREADS` threads, started one by one as there is work. Each holds one lease at a time."""

    def __init__(
        self,
        spool: BackedSpool,
        destinations: Destinations,
        turns: Turns,
        housekeeping: Callable[[bool], None],
    ) -> None:
        self._spool = spool
        self._destinations = destinations
        self._turns = turns
        self._housekeeping = housekeeping
        self._changed = threading.Condition()
        self._turn = 0
        self._looks_at = float("inf")
        """When one of the threads that wait looks for all of them, on `time.monotonic`'s clock."""
        self._idle, self._is_asked = 0, False
        """Threads that wait, and whether one of them shall look."""
        self._flushing = 0
        self._stopping = False
        self._is_resting = False
        """The wait for an end of the process is over: no request begins until something new comes."""
        self._at_work = 0
        """Threads in `work`."""
        self.was_started = False
        """Whether it was ever asked to send."""
        self._threads: list[threading.Thread] = []
        self._tidy_at = 0.0
        self._is_tidy = False
        """Whether the last housekeeping ran during a flush: then the duplicate window held nothing back."""

    def start(self) -> bool:
        """Begin sending; the first thread starts the others when there is more than it can take.

        False where no thread starts any more: Python 3.12 and later start none while the interpreter ends.
        Then whoever waits for the end sends what is in the spool.
        """
        self.was_started = True
        if self._is_resting:
            self._is_resting = False
            self.wake()
        if not self._stopping and not any(thread.is_alive() for thread in self._threads):
            with self._changed:
                if not any(thread.is_alive() for thread in self._threads):
                    self._threads.clear()
                    return self._add_thread()
        return True

    def wake(self) -> None:
        """There is something new to look at."""
        with self._changed:
            self._turn += 1
            self._changed.notify_all()

    def wake_within(self, seconds: float) -> None:
        """Something new is due in so many seconds; one worker is woken, unless one looks before then."""
        now = time.monotonic()
        if not now < self._looks_at <= now + seconds:
            self._wake_one()

    def flush(
        self,
        deadline: float,
        *,
        give_up: bool = False,
        calls_only: bool = False,
        patience: Patience | None = None,
    ) -> bool:
        """Send what is in the spool now, until `deadline` on `time.monotonic`'s clock; whether all went.

        Args:
            give_up: stop as soon as each destination that is left has failed once more.
            calls_only: wait for what calls became alone.
            patience: given at an end of the process; it ends the wait too. What other processes are sending
                is not waited for. Their rows that this process has begun to send are, as nobody else waits.
        """
        try:
            self._turns.forget_returned()
            up_to = self._spool.last_number()
            served = self._destinations.served
            before = {destination: one.pacer.failures for destination, one in served.items()}
            with self._changed:
                self._flushing += 1
            try:
                self._begin_flush(patience)
                while True:
                    # Nobody knows what waits on a disk that cannot be read; it may be well again by now.
                    was_well = self._spool.is_disk_well
                    left = self._left(up_to, calls_only, patience)
                    if not left and was_well and self._spool.is_disk_well:
                        if patience is not None and not self._rest(patience):
                            patience.give_up(served)
                            return False
                        with self._turns.recording:
                            return True
                    remaining = deadline - time.monotonic() if patience is None else patience.seconds_left
                    failed = all(one.pacer.failures > before.get(d, 0) for d, one in left.items())
                    is_over = remaining <= 0 or (give_up and failed)
                    if is_over or (left and self._is_postponed(left, remaining)):
                        if patience is not None:
                            patience.give_up(left)
                        return False
                    with self._changed:
                        self._changed.wait(min(remaining, _FLUSH_POLL_SECONDS))
            finally:
                with self._changed:
                    self._flushing -= 1
        except FAULTS as error:
            _logger.warning("otel-arthur: the spool cannot be read (%s)", type(error).__name__)
            return False

    def stop(self, deadline: float) -> bool:
        """End the threads; whether they ended by `deadline`. No request begins after that."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(max(deadline - time.monotonic(), 0.0))
        with contextlib.suppress(*FAULTS):
            self._turns.end()
        return not any(thread.is_alive() for thread in self._threads)

    def _left(self, up_to: int, calls_only: bool, patience: Patience | None) -> Mapping[Destination, Served]:
        numbers = self._destinations.numbers
        if calls_only:
            by_kind = self._destinations.of_calls()
            occupied = {n for kind, of in by_kind.items() for n in self._spool.occupied(of, up_to, kind)}
        else:
            occupied = self._spool.occupied(numbers, up_to)
        if occupied and patience is not None:
            occupied &= {number for number, _kind in self._spool.left(numbers)}
        return {d: one for d, one in self._destinations.served.items() if d.number in occupied}

    def _begin_flush(self, patience: Patience | None) -> None:
        for served in self._destinations.served.values():
            served.pacer.hurry()
        if not self._is_tidy:
            self._tidy_at = 0.0
        self.wake()
        if not self.start():
            with suppress_instrumentation():
                self._send_here(patience)

    def _send_here(self, patience: Patience | None) -> None:
        """Send on this thread, which waits for an end: no request takes longer than the thread waits."""
        while patience is None or patience.seconds_left > 0:
            self._turns.request_seconds = None if patience is None else patience.seconds_left
            if not self.work():
                break

    def _rest(self, patience: Patience) -> bool:
        """Begin no request, and end the requests under way; whether all have ended."""
        with self._changed:
            self._is_resting = True
            while self._at_work and (seconds := patience.seconds_left):
                self._changed.wait(min(seconds, _FLUSH_POLL_SECONDS))
            has_ended = not self._at_work
        return has_ended and not self._turns.has_returned()

    def _is_postponed(self, left: Mapping[Destination, Served], remaining: float) -> bool:
        """Whether nothing that is left can be tried within `remaining` seconds."""
        are_closed = all(served.pacer.seconds_left > remaining for served in left.values())
        return are_closed or not self._spool.can_be_tried([d.number for d in left], remaining)

    def _add_thread(self) -> bool:
        thread = thread_of(self._run, f"otel-arthur-sender-{len(self._threads) + 1}")
        try:
            thread.start()
        except RuntimeError:
            return False
        self._threads.append(thread)
        return True

    def _run(self) -> None:
        with suppress_instrumentation():
            while not self._stopping:
                turn = self._turn
                try:
                    wait = self._idle_seconds(self.work())
                except Exception as error:  # a worker must outlive whatever happens to a batch
                    _logger.warning("otel-arthur: sending was interrupted (%s)", type(error).__name__)
                    _logger.debug("otel-arthur: details", exc_info=True)
                    wait = IDLE_SECONDS
                self._wait(turn, wait)

    def _wait(self, turn: int, seconds: float) -> None:
        """Wait for something new since `turn`. Of the threads that wait, the first to look looks for all."""
        with self._changed:
            looks_at = time.monotonic() + seconds
            seconds = IDLE_SECONDS if seconds and looks_at >= self._looks_at else seconds
            self._looks_at = min(self._looks_at, looks_at)
            self._idle += 1
            # Not woken by what other threads did, or they would wake each other for ever.
            self._changed.wait_for(lambda: turn != self._turn or self._is_asked or self._stopping, seconds)
            self._idle -= 1
            self._is_asked = False
            if self._looks_at == looks_at:
                self._looks_at = float("inf")

    def work(self) -> bool:
        """Send one request's worth of each destination; whether there was anything."""
        with self._changed:
            if self._is_resting:
                return False
            self._at_work += 1
        try:
            return self._work()
        finally:
            with self._changed:
                self._at_work -= 1
                if self._flushing:
                    self._changed.notify_all()

    def _work(self) -> bool:
        self._tidy()
        self._spool.recover()
        found = False
        occupied = self._spool.occupied(self._destinations.numbers)
        for destination, served in self._destinations.served.items():
            if self._stopping or self._is_resting:
                break
            if destination.number not in occupied or not served.pacer.enter():
                continue
            try:
                self._turns.close_window(destination, served.target, at_once=self._flushing > 0)
                batches = self._turns.lease(destination, served.target)
                if batches:
                    found = True
                    self.start_another()
                    self._turns.deliver(destination, served, batches)
            finally:
                served.pacer.leave()
        return found

    def start_another(self) -> None:
        """One more thread looks, up to `THREADS`: there is more than those at work can take."""
        with self._changed:
            if self._idle or len(self._threads) == THREADS:
                self._wake_one()
            elif self._threads and not self._stopping:
                self._add_thread()

    def _wake_one(self) -> None:
        with self._changed:
            self._is_asked = True
            self._changed.notify_all()

    def _idle_seconds(self, has_sent: bool) -> float:
        if has_sent and self._flushing:
            return 0.0
        served = self._destinations
        due = None if self._is_resting else self._spool.next_due(served.numbers, served.in_order)
        if due is None:
            return IDLE_SECONDS
        closed = min((one.pacer.seconds_left for one in served.served.values()), default=0.0)
        # What was left goes on at once. What has come to be due since goes together with others.
        seconds = max(due + TOGETHER_SECONDS, 0.0) if has_sent else max(due, closed, TOGETHER_SECONDS)
        return min(seconds, IDLE_SECONDS)

    def _tidy(self) -> None:
        now = time.monotonic()
        if now >= self._tidy_at:
            self._tidy_at = now + TIDY_SECONDS
            self._is_tidy = self._flushing > 0
            self._housekeeping(self._is_tidy)
