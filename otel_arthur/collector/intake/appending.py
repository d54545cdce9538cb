"""`Appender`: the calls of a request on their way into the spool, beside the request itself.

The spool writes to a disk, which may take its time. So appends have lanes of threads of their own, and who
waits for one does so for `WAIT_SECONDS` at most: the append goes on, and its calls are in memory until then.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from otel_arthur.collector.intake.intake import Intake, IntakeResult
from otel_arthur.collector.intake.loops import LoopDetector
from otel_arthur.collector.otlp import replies
from otel_arthur.collector.otlp.content import Content, NeverRoom, room_to_parse
from otel_arthur.collector.otlp.decoding import parse
from otel_arthur.collector.otlp.handed_over import HandedOver
from otel_arthur.collector.otlp.inflating import BadBody
from otel_arthur.collector.otlp.json_spans import JSONSpans, export_in
from otel_arthur.collector.otlp.memory import Hold, NoRoom
from otel_arthur.collector.otlp.replies import Reply
from otel_arthur.collector.otlp.request import Request
from otel_arthur.collector.otlp.signals import LOGS
from otel_arthur.collector.otlp.turns import Turns
from otel_arthur.collector.service.telemetry import Telemetry
from otel_arthur.genai.events.log_events import log_events
from otel_arthur.genai.otlp.json.typed import Export
from otel_arthur.genai.otlp.measuring import TooManyItems

_logger = logging.getLogger(__name__)

WAIT_SECONDS = 2.0
_APPENDS = 4
"""Threads that read calls and write the spool: one works in Python while the other waits for the disk."""


class Lanes:
    """The threads of a collector. Each kind of work has its own, so that none waits for another."""

    def __init__(self) -> None:
        self.reading = ThreadPoolExecutor(1, "otel-arthur-large")
        self.reading_by_turns = Turns(self.reading)
        self.converting = ThreadPoolExecutor(2, "otel-arthur-converting")
        self.appending = ThreadPoolExecutor(_APPENDS, "otel-arthur-appending")
        self.appending_large = ThreadPoolExecutor(1, "otel-arthur-appending-large")

    def close(self) -> None:
        for lane in (self.reading, self.converting, self.appending, self.appending_large):
            lane.shutdown(wait=False, cancel_futures=True)


@dataclass(slots=True)
class Append:
    ended: asyncio.Future[Reply | None]
    """Its result is None, or the refusal of a request whose append failed."""
    began: float
    is_late: bool = False
    """Whether the request was answered before the append ended."""
    calls: Sequence[tuple[str, str]] = ()
    """Trace and span id of each span that is a call, once the append has ended."""


class Appender:
    """One for each configuration; for one event loop."""

    def __init__(
        self, intake: Intake, telemetry: Telemetry, lanes: Lanes, max_items: int, *, forwards: bool
    ) -> None:
        self._intake = intake
        self._telemetry = telemetry
        self._lanes = lanes
        self._max_items = max_items
        # Where nothing goes on, nothing comes back.
        self._loops = LoopDetector() if forwards else None
        self._under_way: set[asyncio.Future[Reply | None]] = set()

    def begin(
        self, request: Request, content: Content, hold: Hold, stamped: Callable[[bytes], None] | None = None
    ) -> Append:
        """Start an append.

        Args:
            stamped: called in the append's thread, before the spool is asked, with the request in protobuf
                and the ids of its inferences in it.
        """
        loop = asyncio.get_running_loop()
        append = Append(loop.create_future(), time.monotonic())
        self._under_way.add(append.ended)
        hold = hold.share()

        def ended(taken: Future[IntakeResult]) -> None:
            with contextlib.suppress(RuntimeError):  # the loop is closed: this process is at its end
                loop.call_soon_threadsafe(self._end, append, hold, taken)

        # The processor hands over many exports at once: two such requests would hinder each other.
        is_alone = content.is_large or request.handed_over
        lane = self._lanes.appending_large if is_alone else self._lanes.appending
        # Without a task, which would have the event loop come by three times more.
        lane.submit(self._take, request, content, hold, stamped).add_done_callback(ended)
        return append

    async def wait(self, append: Append) -> Reply | None:
        """Wait for an append until `WAIT_SECONDS` after its beginning.

        Returns:
            None where its calls are on disk; else what a sender is told who must not lose them. They may
            be in memory then and reach Arthur from there: their ids are the same when they come again.
        """
        left = append.began + WAIT_SECONDS - time.monotonic()
        if not append.ended.done() and left > 0:
            await asyncio.wait({append.ended}, timeout=left)
        if append.ended.done():
            return append.ended.result()
        append.is_late = True
        return replies.unavailable("the spool takes too long; send this request again later", 5.0)

    async def close_window(self, everything: bool = False) -> None:
        """Decide about calls whose messages did not come in time, or about `everything` that waits."""
        run = asyncio.get_running_loop().run_in_executor
        self._count(await run(self._lanes.appending, self._intake.settle, everything))

    async def close(self, seconds: float) -> None:
        """Wait for appends for so many seconds at most, then decide about calls that wait for messages."""
        if self._under_way:
            await asyncio.wait(set(self._under_way), timeout=seconds)
        await self.close_window(everything=True)

    def _end(self, append: Append, hold: Hold, taken: Future[IntakeResult]) -> None:
        hold.release()
        self._under_way.discard(append.ended)
        append.ended.set_result(self._refusal(append, taken))

    def _refusal(self, append: Append, taken: Future[IntakeResult]) -> Reply | None:
        try:
            result = taken.result()
        except BadBody as error:
            self._failed("unreadable")
            return replies.bad_data(str(error))
        except NeverRoom:
            self._failed("memory")
            return replies.NEEDS_MEMORY
        except TooManyItems:
            self._failed("items")
            return replies.too_many_items(self._max_items)
        except NoRoom:
            self._failed("memory")
            return replies.unavailable("there is no memory to read this request in; send it again later")
        except Exception as error:  # a broken disk must not stop requests that only pass through
            _logger.exception("the spool did not take a request", exc_info=error)
            self._failed("spool")
            return replies.unavailable("the spool cannot be written")
        self._count(result)
        append.calls = result.own
        not_durable = result.calls if append.is_late else min(result.in_memory, result.calls)
        if not_durable:
            self._telemetry.add("otelcol_arthur_calls_not_durable", not_durable)
        if self._loops is not None and self._loops.is_loop(result.keys, time.monotonic()):
            self._telemetry.add("otelcol_arthur_loops", found_by="repetition")
            _logger.warning("the same span keeps coming back: the next hop may lead back to this collector")
        if result.refused or result.in_memory:
            otherwise = "the spool is full" if result.refused else "the spool cannot be written"
            why = result.trouble or otherwise
            return replies.unavailable(f"{why}; send this request again later", 5.0)
        return None

    def _take(
        self, request: Request, content: Content, hold: Hold, stamped: Callable[[bytes], None] | None
    ) -> IntakeResult:
        if not content.is_large:
            return self._take_parsed(request, content, stamped)
        with room_to_parse(request, content.body, self._max_items, hold):
            return self._take_parsed(request, content, stamped)

    def _take_parsed(
        self, request: Request, content: Content, stamped: Callable[[bytes], None] | None
    ) -> IntakeResult:
        if request.handed_over:
            return self._intake.take_views(HandedOver(content.body))
        spoiled: Counter[str] = Counter()
        # A request with the ids in it is protobuf whatever it was, so it is made of a message of protobuf.
        if request.json and stamped is None:
            found: Any = export_in(content.body, spoiled)
        else:
            found = parse(request.signal, content.body, request.json, spoiled)
        for reason, count in spoiled.items():
            if count:
                self._telemetry.add("otelcol_arthur_parts_unread", count, reason=reason)
                # The next hop gets the bytes as they came, since our encoding would lack the bad part.
                stamped = None
        is_export = isinstance(found, Export)
        if request.signal is LOGS:
            return self._intake.take_events(found.events if is_export else log_events(found))
        return (
            self._intake.take_views(JSONSpans(found.views))
            if is_export
            else self._intake.take(found, stamped)
        )

    def _failed(self, reason: str) -> None:
        self._telemetry.add("otelcol_arthur_requests_unread", reason=reason)

    def _count(self, result: IntakeResult) -> None:
        for outcome, count in (
            ("taken", result.calls),
            ("refused", result.refused),
            ("unmatched", result.unmatched),
            ("skipped", result.skipped),
            ("waiting", result.waiting),
        ):
            if count:
                self._telemetry.add("otelcol_arthur_calls", count, outcome=outcome)
        if result.refused:
            self._telemetry.add("otelcol_exporter_enqueue_failed_spans", result.refused, exporter="arthur")
