"""From a request to the spool: find the LLM spans, read them, route them, hand them to the delivery."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from otel_arthur.collector.deliveries import Target
from otel_arthur.collector.routing import Router
from otel_arthur.collector.spans import candidates, stamp
from otel_arthur.configuration import Configuration
from otel_arthur.genai.call import LLMCall
from otel_arthur.genai.events.joiner import Joiner
from otel_arthur.genai.events.log_events import lacks_content, log_events
from otel_arthur.genai.reading import Reading, read
from otel_arthur.genai.span import SpanView
from otel_arthur.inference.identity import partner_inference_id

_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class IntakeResult:
    """What became of a request's LLM spans."""

    calls: int = 0
    """In the spool now, new or known."""
    refused: int = 0
    """Inferences that a full spool did not take."""
    unmatched: int = 0
    """Calls that no route takes."""
    skipped: int = 0
    """Spans that could not be read, or that hold no messages."""
    waiting: int = 0
    """Calls whose messages may come as log events."""
    keys: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """Trace and span id of each call."""


class Intake:
    """Reads trace and log requests. Safe to use from several threads.

    A call whose messages may come as GenAI log events waits for them in memory, some seconds at
    most. It would be skipped otherwise: what is acknowledged and can be an inference is on disk.
    """

    def __init__(
        self,
        targets: Sequence[Target],
        connection: Configuration,
    ) -> None:
        self._router = Router(targets)
        self._connection = connection
        self._default = targets[0].delivery
        self._warned: set[str] = set()
        self._joiner = Joiner()
        self._lock = threading.Lock()
        self._has_seen_events = False

    def take(self, request: Any, stamped: Callable[[bytes], None] | None = None) -> IntakeResult:
        """Put the calls of an ``ExportTraceServiceRequest`` into the spool; on disk when this returns.

        Args:
            stamped: called before the spool is asked, with the request in which each call's span has the
                attribute ``arthur.inference.id``.
        """
        batch = _Batch()
        now = time.monotonic()
        for view, span in candidates(request, self._default.skip):
            if self._place(batch, view, now) and stamped is not None:
                stamp(span, partner_inference_id(view.trace_id, view.span_id))
        if stamped is not None:
            stamped(request.SerializeToString())
        return self._submit(batch)

    def take_logs(self, request: Any) -> IntakeResult:
        """Join the GenAI events of an ``ExportLogsServiceRequest`` to their spans."""
        events = list(log_events(request))
        if not events:
            return IntakeResult()
        self._has_seen_events = True
        with self._lock:
            reached = self._joiner.add(events, time.monotonic())
        batch = _Batch()
        for held in reached:
            self._place(batch, held.view, held.since)
        return self._submit(batch)

    def settle(self, everything: bool = False) -> IntakeResult:
        """Decide about spans that waited too long for their messages, or about `everything` that waits."""
        with self._lock:
            if everything:
                views = self._joiner.release_spans()
                self._joiner.release_contents()
            else:
                views = self._joiner.expire(time.monotonic())
        batch = _Batch()
        for view in views:
            self._place(batch, view, None)
        return self._submit(batch)

    def _place(self, batch: _Batch, view: SpanView, since: float | None) -> bool:
        """Read and route one span; whether it is a call that has a route.

        Args:
            since: when it came; None where it may not wait (any longer) for messages.
        """
        given_up: list[SpanView] = []
        # Held while reading: content that came in between would wait for a span that waits for it.
        with self._lock:
            view = self._joiner.with_content(view)
            reading = self._read(view)
            waits = reading is not None and since is not None and self._may_wait(reading)
            if waits and since is not None:
                given_up = self._joiner.hold(view, since)
            elif reading is not None and reading.call is not None:
                self._joiner.complete(view, time.monotonic())
        for other in given_up:
            self._place(batch, other, None)
        if reading is None:
            batch.result.skipped += 1
            return False
        if reading.call is None:
            return False
        target = self._router.target(view)
        if waits:
            batch.result.waiting += 1
            return target is not None
        if target is None:
            batch.result.unmatched += 1
            self._default.skip("no route", 1)
            self._warn("no route", "some LLM calls match no model; add a last one without match")
            return False
        if not self._is_wanted(reading):
            batch.result.skipped += 1
            return False
        batch.groups.setdefault(target, []).append(reading.call)
        batch.result.keys.append((view.trace_id, view.span_id))
        return True

    def _may_wait(self, reading: Reading) -> bool:
        """Whether messages may still come. A failed call is worth an inference without them."""
        if self._connection.content == "metadata" or not lacks_content(reading):
            return False
        return reading.content_missing or self._has_seen_events

    def _read(self, view: SpanView) -> Reading | None:
        try:
            return read(view, self._connection.attributes)
        except Exception as error:  # a span of a shape never seen must not cost its request
            self._default.skip("unreadable", 1)
            self._warn("unreadable", f"a span could not be read ({type(error).__name__}); it is skipped")
            return None

    def _is_wanted(self, reading: Reading) -> bool:
        if not reading.content_missing or self._connection.content == "metadata":
            return True
        self._default.skip("no content", 1)
        dialect = reading.dialect.name if reading.dialect else ""
        self._warn(f"no content {dialect}", f"an LLM call without messages is skipped: {reading.reason}")
        return False

    def _submit(self, batch: _Batch) -> IntakeResult:
        result = batch.result
        with self._lock:
            unjoined, self._joiner.unjoined = self._joiner.unjoined, type(self._joiner.unjoined)()
        for reason, number in unjoined.items():
            self._default.skip(reason, number)
        for target, calls in batch.groups.items():
            result.refused += target.delivery.submit(calls, model_id=target.model_id).refused
        result.calls = max(0, len(result.keys) - result.refused)
        return result

    def _warn(self, key: str, line: str) -> None:
        """Once per reason and configuration."""
        if key not in self._warned:
            self._warned.add(key)
            _logger.warning(line)


@dataclass(slots=True)
class _Batch:
    """Calls on their way to the spool, by target."""

    groups: dict[Target, list[LLMCall]] = field(default_factory=dict[Target, "list[LLMCall]"])
    result: IntakeResult = field(default_factory=IntakeResult)
