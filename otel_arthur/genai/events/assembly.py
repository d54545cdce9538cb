"""`Assembly`: from finished spans, and events beside them, to calls. One for the exporter and the collector.

Bookkeeping without clock, lock or thread, as `Joiner` is: the caller gives the time (monotonic seconds) and
holds its lock around each method.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from otel_arthur.genai.call import LLMCall
from otel_arthur.genai.duplicates.halves import Halves
from otel_arthur.genai.events.joiner import Joiner
from otel_arthur.genai.events.log_events import LogEvent, lacks_content
from otel_arthur.genai.planned import Planned
from otel_arthur.genai.reading import NO_IDS, Reading, look, read
from otel_arthur.genai.span import SpanView

_Found = TypeVar("_Found")
UNREADABLE = "unreadable"
INVALID_ID = "invalid id"
NO_CONTENT = "no content"


class Assembled(Struct, frozen=True, gc=False):
    """One span that was taken, and what it is."""

    view: SpanView
    """The span, with the content that came beside it."""
    call: LLMCall | Planned | None = None
    """The call, if the span is one. A half goes to the delivery too, and is no call of its own."""
    waits: bool = False
    """Whether the span's messages may still come as a log event."""
    skipped: bool = False
    """Whether the span could have been a call, but cannot be read or holds no messages."""
    wordless: LLMCall | None = None
    """The call that holds no messages."""


class Assembly:
    """Reads spans, joins content to them, and decides which become calls.

    Args:
        extra: Arthur attribute -> span or resource attribute, for fields of the user's own.
        wants_content: whether a call without messages is worthless.
        may_wait: whether events may come that complete a call without messages.
        completes: whether a call without messages may complete another span of its call, and waits for that.
        takes_wordless: a call without messages is sent all the same, so it is not skipped.
        skipped: called with each reason, a count, and a line for the log where the reason is new.
    """

    def __init__(
        self,
        extra: Mapping[str, str],
        *,
        wants_content: bool,
        may_wait: Callable[[Reading], bool],
        skipped: Callable[[str, int, str], None],
        completes: bool = False,
        joiner: Joiner | None = None,
        takes_wordless: bool = False,
    ) -> None:
        self._extra = extra
        self._wants_content = wants_content
        self._may_wait = may_wait
        self._skipped = skipped
        self._joiner = joiner or Joiner()
        self._halves = Halves() if completes and wants_content else None
        self._takes_wordless = takes_wordless
        self._explained: set[str] = set()

    @property
    def holds_spans(self) -> bool:
        """Whether any span waits for its content."""
        return self._joiner.holds_spans

    def take(self, view: SpanView, since: float) -> list[Assembled]:
        """Take a span that came at `since`; returns the span and others that no longer wait."""
        view = self._joiner.with_content(view)
        reading = self._by(look, view)
        if isinstance(reading, Planned):
            return [Assembled(view, reading), *self._completed(view, reading, since)]
        if reading is None or reading.call is None:
            return [self._no_call(view, reading)]
        halves = self._halves
        if halves is None or not reading.content_missing:
            may_wait = self._wants_content and lacks_content(reading) and self._may_wait(reading)
        elif halves.goes_with_a_call(reading.call):
            self._joiner.complete(view, since)
            return [_half(view, reading.call)]
        else:
            may_wait = True
        if may_wait:
            given_up = self._joiner.hold(view, since)
            return [Assembled(view, waits=True), *map(self.decide, given_up)]
        return [self._decided(view, reading), *self._completed(view, reading.call, since)]

    def take_at_once(self, view: SpanView) -> Planned | Assembled | None:
        """Take a span while nothing waits; else, and where the span may have to wait, None: `take` it then.

        Needs no lock.
        """
        if not self._joiner.is_empty:
            return None
        try:
            reading = look(view, self._extra)
        except Exception as error:
            self.unreadable(error)
            return self._no_call(view, None)
        if isinstance(reading, Planned):
            if self._halves is not None:
                self._halves.of(reading)
            return reading
        if reading.call is None:
            return self._no_call(view, reading)
        if self._halves is not None:
            if reading.content_missing:
                return None
            self._halves.of(reading.call)
        return self._decided(view, reading)

    def _completed(self, view: SpanView, call: LLMCall | Planned, now: float) -> Iterator[Assembled]:
        """Have done with a call that waits for nothing; returns the halves that waited for the call."""
        self._joiner.complete(view, now)
        for key in () if self._halves is None else self._halves.of(call):
            held = self._joiner.release(key, now)
            reading = None if held is None else self._read(held)
            if held is not None and reading is not None and reading.call is not None:
                yield _half(held, reading.call)

    def add(self, events: Iterable[LogEvent], now: float) -> list[Assembled]:
        """Take content; returns the spans that waited for it."""
        reached = self._joiner.add(events, now)
        return [assembled for held in reached for assembled in self.take(held.view, held.since)]

    def expire(self, now: float) -> Iterator[Assembled]:
        """The spans that waited too long, each read when the caller asks for it."""
        return map(self.decide, self._joiner.expire(now))

    def release_spans(self) -> Iterator[Assembled]:
        """All spans that wait, for no more content comes."""
        return map(self.decide, self._joiner.release_spans())

    def release_contents(self) -> None:
        """Count all content that waits as unjoined, for no more spans come."""
        self._joiner.release_contents()

    def decide(self, view: SpanView) -> Assembled:
        """A span as it is: one that failed is a call, one without messages is left out with a reason."""
        if self._halves is not None:
            self._halves.give_up((view.trace_id, view.span_id))
        reading = self._read(view)
        if reading is None or reading.call is None:
            return self._no_call(view, reading)
        return self._decided(view, reading)

    def report_unjoined(self) -> None:
        """Count the events that found no span."""
        unjoined, self._joiner.unjoined = self._joiner.unjoined, type(self._joiner.unjoined)()
        for reason, count in unjoined.items():
            self._skipped(reason, count, "")

    def unreadable(self, error: Exception) -> None:
        """Count a span of a shape never seen: it must not cost its batch."""
        line = f"a span could not be read ({type(error).__name__}); it is skipped"
        self._skip(UNREADABLE, UNREADABLE, line)

    def _read(self, view: SpanView) -> Reading | None:
        return self._by(read, view)

    def _by(self, reader: Callable[[SpanView, Mapping[str, str]], _Found], view: SpanView) -> _Found | None:
        try:
            return reader(view, self._extra)
        except Exception as error:
            self.unreadable(error)
            return None

    def _no_call(self, view: SpanView, reading: Reading | None) -> Assembled:
        """A span that is no call, or cannot be taken for one; None is unreadable, and counted already."""
        if reading is NO_IDS:
            line = "a GenAI span has no valid trace id and span id; it is skipped"
            self._skip(INVALID_ID, INVALID_ID, line)
        return Assembled(view, skipped=reading is None or reading is NO_IDS)

    def _decided(self, view: SpanView, reading: Reading) -> Assembled:
        if not reading.content_missing or not self._wants_content:
            return Assembled(view, reading.call)
        dialect = reading.dialect.name if reading.dialect else ""
        fate = "sent without them" if self._takes_wordless else "skipped"
        line = f"an LLM call without messages is {fate}: {reading.reason}"
        self._skip(NO_CONTENT, f"{NO_CONTENT} {dialect}", line, 0 if self._takes_wordless else 1)
        return Assembled(view, skipped=not self._takes_wordless, wordless=reading.call)

    def _skip(self, reason: str, key: str, line: str, count: int = 1) -> None:
        is_new = key not in self._explained
        self._explained.add(key)
        if count or is_new:
            self._skipped(reason, count, line if is_new else "")


def _half(view: SpanView, call: LLMCall) -> Assembled:
    return Assembled(view, replace(call, is_half=True))
