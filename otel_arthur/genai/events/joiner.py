"""`Joiner`: spans that wait for their content, and content that waits for its span.

Pure bookkeeping: no clock, no lock, no thread. The caller gives the time (monotonic seconds) and
reads what comes out. Everything waits in memory only, so a kill loses spans and content that wait.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from otel_arthur.genai.events.log_events import Content, LogEvent, count_of, joined, merged, put_content
from otel_arthur.genai.events.waiting import Age, Waiting, size_of
from otel_arthur.genai.span import SpanKey, SpanView

SPAN_WAIT_SECONDS = 15.0
"""Log processors export every 1 to 5 seconds, and events are emitted before their span ends."""
CONTENT_WAIT_SECONDS = 600.0
"""The event of a prompt may precede the end of its span by as long as the model takes."""
MAX_SPANS = 10_000
MAX_SPAN_BYTES = 64 * 1024 * 1024
"""A span waits with all its attributes, of any size."""
MAX_CONTENTS = 10_000
MAX_CONTENT_BYTES = 64 * 1024 * 1024

NO_SPAN_ID = "event names no span"
NO_SPAN = "event without its span"
NO_ROOM = "event given up: too many wait"


class Held(NamedTuple):
    """A span without content, and since when it waits."""

    view: SpanView
    since: float


@dataclass(eq=False)
class Joiner:
    """Joins in either order of arrival, bounded by count, bytes and time. Not safe for threads."""

    span_wait: float = SPAN_WAIT_SECONDS
    content_wait: float = CONTENT_WAIT_SECONDS
    max_spans: int = MAX_SPANS
    max_span_bytes: int = MAX_SPAN_BYTES
    max_contents: int = MAX_CONTENTS
    max_content_bytes: int = MAX_CONTENT_BYTES

    def __post_init__(self) -> None:
        self._spans = Waiting[SpanView](self.max_span_bytes, self.max_spans)
        self._contents = Waiting[Content](self.max_content_bytes, self.max_contents)
        # Ordered as what waits is, the oldest first.
        self._complete: OrderedDict[SpanKey, float] = OrderedDict()
        self.unjoined: Counter[str] = Counter()
        """Reason -> events that found no span. The caller may empty it."""

    @property
    def holds_spans(self) -> bool:
        """Whether any span waits for its content."""
        return bool(self._spans.by_key)

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not self._spans.by_key and not self._contents.by_key

    def with_content(self, view: SpanView) -> SpanView:
        """A span that has come, with the content that waited for it, if any did."""
        found = self._contents.take((view.trace_id, view.span_id)) if self._contents.by_key else None
        return view if found is None else joined(view, found[0])

    def complete(self, view: SpanView, now: float) -> None:
        """Remember that a span is done with, so that an event which repeats its content is no orphan."""
        self._complete[view.trace_id, view.span_id] = now
        if len(self._complete) > self.max_contents:
            self._complete.popitem(last=False)

    def hold(self, view: SpanView, since: float) -> list[SpanView]:
        """Keep a span until its content comes; returns the oldest, given up, when there is too much."""
        # Measured here, for most spans never wait.
        return self._spans.put((view.trace_id, view.span_id), view, Age(since, size_of(view)))

    def release(self, key: SpanKey, now: float) -> SpanView | None:
        """A span that need not wait any more; an event that still comes for it is no orphan."""
        found = self._spans.take(key)
        if found is None:
            return None
        self.complete(found[0], now)
        return found[0]

    def add(self, events: Iterable[LogEvent], now: float) -> list[Held]:
        """Take content; returns the spans that had waited for it, joined, and waits no more for them.

        A call may have several events: those of one export are joined before any span is returned.
        """
        reached: dict[SpanKey, Content] = {}
        for key, content in events:
            if key is None:
                self.unjoined[NO_SPAN_ID] += 1
            elif key in self._spans.by_key:
                reached[key] = merged(reached.get(key), content)
            elif key not in self._complete:
                self._give_up(put_content(self._contents, key, content, now), NO_ROOM)
        found = [(self._spans.take(key), content) for key, content in reached.items()]
        return [Held(joined(one[0], content), one[1].since) for one, content in found if one is not None]

    def expire(self, now: float) -> list[SpanView]:
        """The spans that waited too long. Content that waited too long is counted as unjoined."""
        self._give_up(self._contents.take_old(now, self.content_wait), NO_SPAN)
        while self._complete and now - next(iter(self._complete.values())) >= self.content_wait:
            self._complete.popitem(last=False)
        return self._spans.take_old(now, self.span_wait)

    def release_spans(self) -> list[SpanView]:
        """All spans that wait, for no more content comes."""
        return self._spans.take_all()

    def release_contents(self) -> None:
        """Count all content that waits as unjoined, for no more spans come."""
        self._give_up(self._contents.take_all(), NO_SPAN)

    def _give_up(self, contents: Iterable[Content], reason: str) -> None:
        for content in contents:
            self.unjoined[reason] += count_of(content)
