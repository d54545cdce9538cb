"""`Joiner`: spans that wait for their content, and content that waits for its span.

Pure bookkeeping: no clock, no lock, no thread. The caller gives the time (monotonic seconds) and
reads what comes out. Everything waits in memory only, so a kill loses spans and content that wait.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from otel_arthur.genai.events.log_events import Content, LogEvent, joined, merged, size_of
from otel_arthur.genai.span import SpanKey, SpanView

SPAN_WAIT_SECONDS = 15.0
"""Log processors export every 1 to 5 seconds, and events are emitted before their span ends."""
CONTENT_WAIT_SECONDS = 600.0
"""The event of a prompt may precede the end of its span by as long as the model takes."""
MAX_SPANS = 10_000
MAX_CONTENTS = 10_000
MAX_CONTENT_BYTES = 64 * 1024 * 1024

NO_SPAN_ID = "event names no span"
NO_SPAN = "event without its span"
NO_ROOM = "event given up: too many wait"


class Held(NamedTuple):
    """A span without content, and since when it waits."""

    view: SpanView
    since: float


class _Waiting(NamedTuple):
    content: Content
    since: float
    size: int


@dataclass(eq=False)
class Joiner:
    """Joins in either order of arrival, bounded by count, bytes and time. Not safe for threads."""

    span_wait: float = SPAN_WAIT_SECONDS
    content_wait: float = CONTENT_WAIT_SECONDS
    max_spans: int = MAX_SPANS
    max_contents: int = MAX_CONTENTS
    max_content_bytes: int = MAX_CONTENT_BYTES

    def __post_init__(self) -> None:
        # All in order of arrival, so that the oldest come first.
        self._spans: dict[SpanKey, Held] = {}
        self._contents: dict[SpanKey, _Waiting] = {}
        self._content_bytes = 0
        # Its oldest go all the time: a dict would look for its first key past all that have gone.
        self._complete: OrderedDict[SpanKey, float] = OrderedDict()
        self.unjoined: Counter[str] = Counter()
        """Reason -> events that found no span. The caller may empty it."""

    @property
    def holds_spans(self) -> bool:
        """Whether any span waits for its content."""
        return bool(self._spans)

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not self._spans and not self._contents

    def with_content(self, view: SpanView) -> SpanView:
        """A span that has come, with the content that waited for it, if any did."""
        waiting = self._drop((view.trace_id, view.span_id)) if self._contents else None
        return view if waiting is None else joined(view, waiting.content)

    def complete(self, view: SpanView, now: float) -> None:
        """Remember that a span is done with, so that an event which repeats its content is no orphan."""
        self._complete[view.trace_id, view.span_id] = now
        if len(self._complete) > self.max_contents:
            self._complete.popitem(last=False)

    def hold(self, view: SpanView, since: float) -> list[SpanView]:
        """Keep a span until its content comes; returns the oldest, given up, when there are too many."""
        self._spans[view.trace_id, view.span_id] = Held(view, since)
        given_up: list[SpanView] = []
        while len(self._spans) > self.max_spans:
            given_up.append(self._spans.pop(next(iter(self._spans))).view)
        return given_up

    def release(self, key: SpanKey, now: float) -> SpanView | None:
        """A span that need not wait any more; an event that still comes for it is no orphan."""
        held = self._spans.pop(key, None)
        if held is None:
            return None
        self.complete(held.view, now)
        return held.view

    def add(self, events: Iterable[LogEvent], now: float) -> list[Held]:
        """Take content; returns the spans that had waited for it, joined, and waits no more for them.

        A call may have several events: those of one export are joined before any span is returned.
        """
        reached: dict[SpanKey, Content] = {}
        for key, content in events:
            if key is None:
                self.unjoined[NO_SPAN_ID] += 1
            elif key in self._spans:
                reached[key] = merged(reached.get(key), content)
            elif key not in self._complete:
                self._keep(key, content, now)
        return [self._release(key, content) for key, content in reached.items()]

    def expire(self, now: float) -> list[SpanView]:
        """The spans that waited too long. Content that waited too long is counted as unjoined."""
        expired: list[SpanView] = []
        for key, held in list(self._spans.items()):
            if now - held.since < self.span_wait:
                break
            del self._spans[key]
            expired.append(held.view)
        for key, waiting in list(self._contents.items()):
            if now - waiting.since < self.content_wait:
                break
            self._give_up(key, NO_SPAN)
        while self._complete and now - next(iter(self._complete.values())) >= self.content_wait:
            self._complete.popitem(last=False)
        return expired

    def release_spans(self) -> list[SpanView]:
        """All spans that wait, for no more content comes."""
        views = [held.view for held in self._spans.values()]
        self._spans.clear()
        return views

    def release_contents(self) -> None:
        """Count all content that waits as unjoined, for no more spans come."""
        for key in list(self._contents):
            self._give_up(key, NO_SPAN)

    def _release(self, key: SpanKey, content: Content) -> Held:
        held = self._spans.pop(key)
        return Held(joined(held.view, content), held.since)

    def _keep(self, key: SpanKey, content: Content, now: float) -> None:
        before = self._drop(key)
        content = merged(before.content if before is not None else None, content)
        waiting = _Waiting(content, now, size_of(content.attributes) + size_of(content.events))
        self._contents[key] = waiting
        self._content_bytes += waiting.size
        while len(self._contents) > self.max_contents or self._content_bytes > self.max_content_bytes:
            self._give_up(next(iter(self._contents)), NO_ROOM)

    def _drop(self, key: SpanKey) -> _Waiting | None:
        waiting = self._contents.pop(key, None)
        if waiting is not None:
            self._content_bytes -= waiting.size
        return waiting

    def _give_up(self, key: SpanKey, reason: str) -> None:
        waiting = self._drop(key)
        if waiting is not None:
            self.unjoined[reason] += max(len(waiting.content.events), 1)
