"""From a request to the spool: find the LLM spans, read them, route them, hand them to the delivery."""

from __future__ import annotations

import logging
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from otel_arthur.collector.intake.deliveries import OpenRoute, OpenRoutes
from otel_arthur.collector.intake.routing import Router
from otel_arthur.collector.otlp.handed_over import HandedOver
from otel_arthur.collector.otlp.json_spans import JSONSpans
from otel_arthur.collector.otlp.spans import Placed, around_in, candidates, stamp
from otel_arthur.configuration import Configuration
from otel_arthur.genai.call import LLMCall
from otel_arthur.genai.events.assembly import Assembled, Assembly
from otel_arthur.genai.events.log_events import LogEvent
from otel_arthur.genai.planned import Planned
from otel_arthur.genai.span import SpanKey, SpanView
from otel_arthur.genai.steps.reading import meanings_of
from otel_arthur.genai.steps.step import Frame, Meaning
from otel_arthur.inference.identity import partner_inference_id

_logger = logging.getLogger(__name__)
_NO_ROUTE = "some LLM calls match no model; add a last one without match"


@dataclass(slots=True)
class IntakeResult:
    calls: int = 0
    """Inferences that are in the spool, new or known."""
    refused: int = 0
    """Inferences that a full spool did not take."""
    unmatched: int = 0
    """Calls that no route takes."""
    skipped: int = 0
    """Spans that are unreadable, or that hold no messages."""
    waiting: int = 0
    """Calls whose messages may come as log events."""
    in_memory: int = 0
    """Inferences in memory, since the disk takes nothing now."""
    trouble: str = ""
    """The disk's fault that keeps calls in memory."""
    keys: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """Trace and span id of each call."""
    own: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """Trace and span id of each span of this request that is a call, or is one once its messages come."""


class Intake:
    """Reads trace and log requests. Safe to use from several threads.

    A call whose messages may come as GenAI log events waits for them in memory, some seconds at
    most. It would be skipped otherwise: what is acknowledged and can be an inference is on disk.
    """

    def __init__(self, targets: OpenRoutes, connection: Configuration) -> None:
        self._models = Router(targets.models)
        self._tasks = Router(targets.tasks)
        self._is_for_models, self._is_for_tasks = bool(targets.models), bool(targets.tasks)
        self._connection = connection
        routes = dict.fromkeys((*targets.models, *targets.tasks))
        first = next(iter(routes))
        self._default = first.delivery
        self._only = first if len(routes) == 1 else None
        self._wanting_around = [target for target in targets.tasks if target.delivery.wants_around]
        self._has_said_no_route = False
        self._assembly = Assembly(
            connection.attributes,
            wants_content=connection.content != "metadata",
            # A failed call is worth an inference without messages.
            may_wait=lambda reading: reading.content_missing or self._has_seen_events,
            skipped=self._skipped,
            completes=connection.duplicate_window > 0,
            takes_wordless=not self._is_for_models,
        )
        self._lock = threading.Lock()
        self._has_seen_events = False

    @property
    def wants_around(self) -> bool:
        """Whether spans that are no calls are read too."""
        return bool(self._wanting_around)

    def take(self, request: Any, stamped: Callable[[bytes], None] | None = None) -> IntakeResult:
        """Put the calls of an ``ExportTraceServiceRequest`` into the spool; on disk when this returns.

        Args:
            stamped: called before the spool is asked, with the request in which each call's span has the
                attribute ``arthur.inference.id``.
        """
        batch = _Batch()
        placed: list[Placed] | None = [] if self._wanting_around else None
        found = candidates(request, self._default.skip, placed)
        read: list[tuple[SpanKey, Span]] = []

        def views() -> Iterator[SpanView]:
            for view, span in found:
                if stamped is not None:
                    read.append(((view.trace_id, view.span_id), span))
                yield view

        def around() -> Iterator[tuple[SpanView | None, Meaning]]:
            if stamped is not None:
                own = set(batch.result.own)
                for key, span in read:
                    if key in own:
                        stamp(span, partner_inference_id(*key))
                stamped(request.SerializeToString())
            return around_in(placed or ())

        return self._submit(batch, self._read(batch, views(), around))

    def take_views(self, spans: HandedOver | JSONSpans) -> IntakeResult:
        """As `take`, for spans that are no protobuf."""
        batch = _Batch()
        around = spans.around if self._wanting_around else tuple
        return self._submit(batch, self._read(batch, spans.calls(self._default.skip), around))

    def take_events(self, found: Iterable[LogEvent]) -> IntakeResult:
        """Join the GenAI events of a request to their spans."""
        events = list(found)
        if not events:
            return IntakeResult()
        self._has_seen_events = True
        batch = _Batch()
        with self._lock:
            reached = self._assembly.add(events, time.monotonic())
        self._place_all(batch, reached)
        return self._submit(batch)

    def settle(self, everything: bool = False) -> IntakeResult:
        """Decide about spans that waited too long for their messages, or about `everything` that waits."""
        with self._lock:
            if everything:
                assembled = self._assembly.release_spans()
                self._assembly.release_contents()
            else:
                assembled = self._assembly.expire(time.monotonic())
        batch = _Batch()
        self._place_all(batch, assembled)
        return self._submit(batch)

    def _read(
        self,
        batch: _Batch,
        views: Iterable[SpanView],
        around: Callable[[], Iterable[tuple[SpanView | None, Meaning]]],
    ) -> Iterator[None]:
        """Route the outcome of each span, one at each step; `around` is called once all were read."""
        now = time.monotonic()
        for view in views:
            # Locked while reading: content that came in between would wait for a span that waits for it.
            with self._lock:
                taken = self._assembly.take(view, now)
            if self._place(batch, taken[0]):
                batch.result.own.append((view.trace_id, view.span_id))
            if len(taken) > 1:
                self._place_all(batch, taken[1:])
            yield
        for view, one in around():
            self._place_around(batch, view, one)
            yield

    def _place_all(self, batch: _Batch, assembled: Iterable[Assembled]) -> None:
        for one in assembled:
            self._place(batch, one)

    def _place(self, batch: _Batch, assembled: Assembled) -> bool:
        """Route the outcome of a span; returns whether the span is a call with a route."""
        view, call, waits = assembled.view, assembled.call, assembled.waits
        batch.result.skipped += assembled.skipped
        batch.result.waiting += waits
        if self._is_for_tasks:
            for one in meanings_of((assembled,), wants_around=self.wants_around):
                self._place_around(batch, view, one)
        if call is None and not waits:
            return False
        if not self._is_for_models:
            return waits or (call is not None and self._is_own(batch, view, call))
        target = self._models.target(view)
        if waits or call is None:
            return target is not None
        if target is None:
            batch.result.unmatched += 1
            self._skipped("no route", 1, "" if self._has_said_no_route else _NO_ROUTE)
            self._has_said_no_route = True
            return False
        batch.groups[target].append(call)
        return self._is_own(batch, view, call)

    def _place_around(self, batch: _Batch, view: SpanView | None, one: Meaning) -> None:
        """Route spans to the Engine. A span that is only a place may lie above a call of any task."""
        if isinstance(one, Frame) or view is None:
            for target in self._wanting_around:
                batch.groups[target].append(one)
        elif (target := self._tasks.target(view)) is not None:
            batch.groups[target].append(one)

    @staticmethod
    def _is_own(batch: _Batch, view: SpanView, call: LLMCall | Planned) -> bool:
        if call.is_half:
            return False
        batch.result.keys.append((view.trace_id, view.span_id))
        return True

    def _submit(self, batch: _Batch, steps: Iterator[None] | None = None) -> IntakeResult:
        """Hand over all calls that are routed, and those that `steps` still route.

        With one target, each call is handed over as it is read, while it is in the CPU's cache.
        """
        result = batch.result
        groups: Iterable[tuple[OpenRoute, Iterable[Meaning]]] = batch.groups.items()
        if steps is not None and self._only is not None:
            groups = [(self._only, batch.flow(self._only, steps))]
        else:
            for _ in steps or ():
                pass
        for target, calls in groups:
            submitted = target.delivery.submit(calls, model_id=target.model_id)
            result.in_memory += submitted.in_memory
            result.refused += submitted.refused
            if submitted.refused or submitted.in_memory:
                result.trouble = target.delivery.trouble
        with self._lock:
            self._assembly.report_unjoined()
        result.calls = max(0, len(result.keys) - result.refused)
        return result

    def _skipped(self, reason: str, count: int, line: str) -> None:
        if count:
            self._default.skip(reason, count)
        if line:
            _logger.warning(line)


@dataclass(slots=True)
class _Batch:
    """Calls, and the spans around them, on their way to the spool, by target."""

    groups: defaultdict[OpenRoute, list[Meaning]] = field(default_factory=lambda: defaultdict(list))
    result: IntakeResult = field(default_factory=IntakeResult)

    def flow(self, target: OpenRoute, steps: Iterable[None]) -> Iterator[Meaning]:
        """What is routed to `target`, as soon as it is."""
        routed = self.groups[target]
        for _ in steps:
            yield from routed
            routed.clear()
        yield from routed
