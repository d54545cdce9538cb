"""The bridge: the one piece of global state, from finished spans to the delivery, shared by the exporters.

The SDK builds each exporter with no argument, so they find each other here. A bridge lives as
long as it has users: span exporters, and any log exporter, whose events complete its spans. They
may be built, flushed and shut down in any order.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan

from otel_arthur.configuration import Configuration
from otel_arthur.delivery import Delivery
from otel_arthur.genai.events.assembly import Assembled, Assembly
from otel_arthur.genai.events.joiner import SPAN_WAIT_SECONDS
from otel_arthur.genai.events.log_events import LogEvent
from otel_arthur.genai.planned import Planned
from otel_arthur.genai.reading import is_candidate
from otel_arthur.genai.span import SpanView
from otel_arthur.genai.steps.reading import meanings_of
from otel_arthur.genai.steps.step import Meaning
from otel_arthur.inference.redaction.redactors import checked
from otel_arthur.process import ends, forks
from otel_arthur.process.never_raises import never_raises
from otel_arthur.process.threads import timer_of
from otel_arthur.sdk.inside_the_sdk import attributes_of, view_of
from otel_arthur.sdk.logs_of_the_sdk import flush_log_records
from otel_arthur.sdk.recorders import Recorders
from otel_arthur.sdk.setup.settings import report
from otel_arthur.sdk.surroundings import around_of

_logger = logging.getLogger("otel_arthur")

_SPANS_AT_ONCE = 40
_PAUSE_SECONDS = 0.00002
"""Between so many spans the processor's thread lets go of the interpreter's lock: a thread of the application
then waits for half a millisecond, not for the switch interval of 5 ms: without a sleep none gets the lock."""


class Bridge:
    """Reads finished spans and hands their calls to one `Delivery`. Safe to use from several threads.

    A call whose content may come as a log event waits for it in memory, `SPAN_WAIT_SECONDS` at
    most and only while a log exporter of ours lives; killed before that, the process loses it.
    """

    def __init__(self, configuration: Configuration, sender: Any = None) -> None:
        self.configuration = configuration
        self.delivery = Delivery(configuration, sender=sender)
        self._wants_around = self.delivery.wants_around
        self._recorders = Recorders()
        self._users = 0
        self._begin()

    def _begin(self) -> None:
        """In a forked child too: what waits is the parent's, and another thread may hold the lock there."""
        self._assembly = Assembly(
            self.configuration.attributes,
            wants_content=self.configuration.content != "metadata",
            may_wait=lambda _reading: _log_exporters > 0,
            skipped=self._skipped,
            completes=self.configuration.duplicate_window > 0,
            takes_wordless=not self.configuration.is_v3_target,
        )
        self._lock = threading.Lock()
        self._timer: threading.Timer | None = None

    def take_spans(self, spans: Iterable[ReadableSpan]) -> bool:
        """Record the LLM calls among `spans`; whether all of them could be kept.

        What is on disk when this returns survives the process.
        """
        return self._submit(self._meanings_in(spans))

    def take_events(self, events: Sequence[LogEvent]) -> None:
        """Complete the spans that wait for `events`; the others wait for their span."""
        with self._lock:
            reached = self._assembly.add(events, time.monotonic())
        self._submit(self._meanings_of(reached))

    def flush(self, timeout: float) -> bool:
        """Wait until all that was taken is sent, at most `timeout` seconds; whether it was."""
        deadline = time.monotonic() + timeout
        self._fetch_events(timeout)
        return self.delivery.flush(max(deadline - time.monotonic(), 0.0))

    def hand_over(self, timeout: float) -> None:
        """Put into the spool what waits for its content, for the process ends."""
        self._fetch_events(timeout)
        self.settle_spans()

    def settle_spans(self) -> None:
        """No more events come: decide about the spans that wait for theirs."""
        with self._lock:
            released = self._assembly.release_spans()
        self._submit(self._meanings_of(released))

    def close(self, timeout: float) -> bool:
        """Decide about all that waits, and shut the delivery down within `timeout` seconds."""
        self.settle_spans()
        with self._lock:
            self._assembly.release_contents()
            if self._timer is not None:
                self._timer.cancel()
        self._submit([])
        return self.delivery.shutdown(timeout)

    def _meanings_in(self, spans: Iterable[ReadableSpan]) -> Iterator[Meaning]:
        # On the main thread it is the application that waits for us, in a flush.
        pauses = threading.current_thread() is not threading.main_thread()
        until_pause = _SPANS_AT_ONCE
        for span in spans:
            try:
                attributes = attributes_of(span)
                if not is_candidate(attributes):
                    if self._wants_around:
                        yield around_of(span, attributes)
                    continue
                until_pause -= 1
                if not until_pause and pauses:
                    until_pause = _SPANS_AT_ONCE
                    time.sleep(_PAUSE_SECONDS)
                view = view_of(span, attributes)
            except Exception as error:
                self._assembly.unreadable(error)
                continue
            found = None
            if not _log_exporters:
                # No content can be on its way: there is nothing to lock.
                found = self._assembly.take_at_once(view)
            if isinstance(found, Planned):
                yield found
            else:
                yield from self._meanings_of(self._take_view(view) if found is None else (found,))

    def _take_view(self, view: SpanView) -> list[Assembled]:
        # Held while reading: content that came in between would wait for a span that waits for it.
        with self._lock:
            assembled = self._assembly.take(view, time.monotonic())
            if self._assembly.holds_spans:
                self._watch()
        return assembled

    def _meanings_of(self, assembled: Iterable[Assembled]) -> Iterator[Meaning]:
        return meanings_of(assembled, wants_around=self._wants_around)

    def _submit(self, calls: Iterable[Meaning]) -> bool:
        """Record what spans tell, one at a time: what is left of each before the next is read are bytes.

        Returns whether all of them could be kept.
        """
        submitted = self.delivery.submit(calls, is_live=True, is_one=self._recorders.is_one)
        with self._lock:
            self._assembly.report_unjoined()
        return not submitted.refused

    def _watch(self) -> None:
        """Have the spans that wait looked at in time, even if nothing more is exported."""
        if self._timer is None or not self._timer.is_alive():
            self._timer = timer_of(SPAN_WAIT_SECONDS, self._expire, "otel-arthur-join")
            ends.start(self._timer)

    def _expire(self) -> None:
        # A thread's death must not be the last word.
        with never_raises("spans that wait were not looked at", logging.DEBUG):
            with self._lock:
                expired = self._assembly.expire(time.monotonic())
                self._timer = None
                if self._assembly.holds_spans:
                    self._watch()
            self._submit(self._meanings_of(expired))

    def _fetch_events(self, timeout: float) -> None:
        """Have the log processor export what it holds, if spans wait for it.

        Events are emitted before their span ends: those of a span that has come are in its queue.
        """
        if _log_exporters and self._assembly.holds_spans:
            flush_log_records(min(timeout, ends.HAND_OVER_SECONDS))

    def _skipped(self, reason: str, count: int, line: str) -> None:
        if count:
            self.delivery.skip(reason, count)
        if line:
            _logger.warning("otel-arthur: %s", line)


_lock = threading.Lock()
_live: list[Bridge] = []
_log_exporters = 0
_said_alone = False


def acquire(configuration: Configuration, sender: Any = None) -> Bridge:
    """The process's bridge for this configuration, counted once more as used.

    A second configuration beside a live first one gets a bridge of its own.
    """
    configuration = checked(configuration)
    with _lock:
        bridge = next((b for b in _live if sender is None and b.configuration == configuration), None)
        if bridge is None:
            report(configuration, sender, beside=[b.configuration for b in _live])
            bridge = Bridge(configuration, sender)
            _live.append(bridge)
        bridge._users += 1  # pyright: ignore[reportPrivateUsage]
        return bridge


def current() -> Bridge | None:
    """The process's first bridge, if an exporter of ours lives."""
    return _live[0] if _live else None


def live() -> list[Bridge]:
    """Every bridge that is in use."""
    return list(_live)


def release(bridge: Bridge, timeout: float) -> bool:
    """One user less. The last one closes the bridge within `timeout` seconds, unless a log exporter
    still lives: then its shutdown does, for its processor may hold the content of spans that wait."""
    deadline = time.monotonic() + timeout
    with _lock:
        bridge._users -= 1  # pyright: ignore[reportPrivateUsage]
    bridge._fetch_events(timeout)  # pyright: ignore[reportPrivateUsage]
    remaining = max(deadline - time.monotonic(), 0.0)
    return bridge.close(remaining) if _retire(bridge) else bridge.delivery.finish(remaining)


def open_log_exporter() -> None:
    """A log exporter of ours lives: from now on, spans wait for events."""
    global _log_exporters
    with _lock:
        _log_exporters += 1


def close_log_exporter(timeout: float) -> None:
    """One log exporter less; after the last one no span waits, and bridges without users are closed."""
    global _log_exporters
    deadline = time.monotonic() + timeout
    with _lock:
        _log_exporters -= 1
        last, bridges = _log_exporters <= 0, list(_live)
    for bridge in bridges if last else ():
        if _retire(bridge):
            bridge.close(max(deadline - time.monotonic(), 0.0))
        else:
            bridge.settle_spans()


def offer(events: Sequence[LogEvent]) -> None:
    """Give content to every bridge, for a span exporter with arguments of its own has its own."""
    global _said_alone
    for bridge in list(_live):
        bridge.take_events(events)
    if not _live and not _said_alone:
        _said_alone = True
        _logger.warning(
            "otel-arthur: the content of LLM calls arrives but no span exporter of ours lives to take it: "
            "set OTEL_TRACES_EXPORTER=arthur"
        )


def _retire(bridge: Bridge) -> bool:
    """Take a bridge that nobody uses any more off the list; whether it was this call that did."""
    with _lock:
        if bridge._users > 0 or _log_exporters > 0 or bridge not in _live:  # pyright: ignore[reportPrivateUsage]
            return False
        _live.remove(bridge)
        return True


def _after_fork() -> None:
    global _lock
    _lock = threading.Lock()
    for bridge in _live:
        bridge._begin()  # pyright: ignore[reportPrivateUsage]


forks.in_child(_after_fork)
