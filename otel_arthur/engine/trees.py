"""`Trees`: the spans beside calls that go to the Engine, so that each trace there is one tree with a root.

Most ancestors end after the calls below them: a call asks for its ancestors, and they are sent when they end.
Some end before, as the handler's span of a streamed answer. So spans that no call asked for are kept for a
while, and are sent when a call below them ends.

The bookkeeping has no clock, as in `genai.events.joiner.Joiner`. Kept spans are bounded in number, time and
characters; docs/arthur-engine.md names the cost of the bounds.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final, NamedTuple, TypeVar

from otel_arthur.genai.span import SpanKey
from otel_arthur.genai.steps.step import Frame

KEPT: Final = 10_000
"""The number of kept spans that no call asked for."""
KEPT_SECONDS: Final = 60.0
NAMES: Final = 20_000
"""At most so many spans asked for, spans sent, spans no longer kept, and calls that a root waits for."""
CHARACTERS: Final = 16 * 1024 * 1024
"""Characters of inputs and outputs that wait for their root."""
CALLS_OF_A_ROOT: Final = 1_000
_DEEPEST: Final = 1_000
"""Spans above one another, so that a circle of parents ends."""
_K = TypeVar("_K")
_V = TypeVar("_V")


class Words(NamedTuple):
    """Input and output for a root: the input of the first and the output of the last call below it."""

    started: int
    input: str | None
    ended: int
    output: str | None

    def with_others(self, other: Words | None) -> Words:
        """Input and output of the calls of both."""
        if other is None:
            return self
        first = min((one for one in (self, other) if one.input), key=lambda one: one.started, default=self)
        last = max((one for one in (self, other) if one.output), key=lambda one: one.ended, default=self)
        return Words(first.started, first.input, last.ended, last.output)


class Departure(NamedTuple):
    """A span that goes to the Engine."""

    frame: Frame
    parent_span_id: str | None
    """The parent that the Engine gets."""
    is_root: bool
    """Whether this is the first span of its process in the trace."""
    words: Words | None = None
    """Input and output for a root."""
    is_orphan: bool = False
    """Whether the span became a root since the span above it is no longer kept."""


class Trees:
    """One for each process. Safe to use from several threads.

    Args:
        keep_remote: a parent in another process stays the parent: that process sends to the Engine too.
    """

    def __init__(self, *, keep_remote: bool = False, kept: int = KEPT, seconds: float = KEPT_SECONDS) -> None:
        self._keep_remote = keep_remote
        self._limit = kept
        self._seconds = seconds
        self._lock = threading.Lock()
        self._kept: OrderedDict[SpanKey, tuple[float, Frame]] = OrderedDict()
        self._wanted: OrderedDict[SpanKey, None] = OrderedDict()
        self._gone: OrderedDict[int, None] = OrderedDict()
        """Hashes of spans that ended and are no longer kept."""
        self._sent: OrderedDict[SpanKey, SpanKey | None] = OrderedDict()
        """Sent span -> the parent that it was sent with."""
        self._words: OrderedDict[SpanKey, Words] = OrderedDict()
        """Input and output for spans that are asked for, and for roots that were sent."""
        self._characters = 0
        self._calls: OrderedDict[str, list[str]] = OrderedDict()
        self._call_count = 0

    def passes(self, frame: Frame, now: float) -> list[Departure]:
        """A span that is neither a call nor a step ended; returns the span if a call asked for it."""
        with self._lock:
            if frame.key in self._wanted:
                return self._settle(frame, None)
            self._kept[frame.key] = now, frame
            while self._kept and (len(self._kept) > self._limit or self._is_over(now)):
                remember(self._gone, hash(self._kept.popitem(last=False)[0]), None)
            return []

    def joins(self, frame: Frame, words: Words | None = None, row: str | None = None) -> list[Departure]:
        """A call or a step ended; returns it, then its ancestors, for the Engine.

        Args:
            words: the input and output of a call.
            row: the id of a call's row, for which roots of its trace wait.
        """
        with self._lock:
            if row is not None:
                self._await(frame.trace_id, row)
            return self._settle(frame, words, is_call=row is not None)

    def calls_of(self, trace_id: str) -> tuple[str, ...]:
        """The rows of the latest calls of a trace."""
        with self._lock:
            return tuple(self._calls.get(trace_id, ()))

    def words_of(self, key: SpanKey) -> Words | None:
        """Input and output of a sent root, as known today: calls below the root may have ended since."""
        with self._lock:
            return self._words.get(key)

    def _settle(self, frame: Frame, words: Words | None, *, is_call: bool = False) -> list[Departure]:
        departures: list[Departure] = []
        while True:
            key, parent = frame.key, self._parent_of(frame)
            self._wanted.pop(key, None)
            collected = self._take_words(key)
            words = collected if words is None else words.with_others(collected)
            is_root = parent is None or frame.is_parent_remote
            written = None if parent is None else parent[1]
            is_orphan = parent is None and not self._is_top(frame)
            departures.append(Departure(frame, written, is_root, words if is_root else None, is_orphan))
            remember(self._sent, key, parent)
            if parent is None:
                # A call has its own words.
                if not is_call or len(departures) > 1:
                    self._put_words(key, words)
                return departures
            above = self._kept.pop(parent, None)
            if above is None:
                self._ask(parent, words)
                return departures
            frame = above[1]

    def _parent_of(self, frame: Frame) -> SpanKey | None:
        """The span that the Engine gets as the parent."""
        if self._is_top(frame):
            return None
        parent = (frame.trace_id, frame.parent_span_id or "")
        return None if hash(parent) in self._gone else parent

    def _is_top(self, frame: Frame) -> bool:
        """Whether no span above it can go to the Engine from this process."""
        return frame.parent_span_id is None or (frame.is_parent_remote and not self._keep_remote)

    def _ask(self, key: SpanKey, words: Words | None) -> None:
        """Ask for a span that has not ended, or give words to the topmost span above one that was sent."""
        for _ in range(_DEEPEST):
            above = self._sent.get(key)
            if above is None:
                break
            key = above
        if key not in self._sent:
            remember(self._wanted, key, None)
        if words is not None:
            self._put_words(key, words.with_others(self._take_words(key)))

    def _await(self, trace_id: str, row: str) -> None:
        rows = self._calls.setdefault(trace_id, [])
        rows.append(row)
        self._call_count += 1
        if len(rows) > CALLS_OF_A_ROOT:
            del rows[0]
            self._call_count -= 1
        self._calls.move_to_end(trace_id)
        while self._call_count > NAMES:
            self._call_count -= len(self._calls.popitem(last=False)[1])

    def _put_words(self, key: SpanKey, words: Words | None) -> None:
        if words is None:
            return
        self._words[key] = words
        self._characters += _length(words)
        while self._characters > CHARACTERS or len(self._words) > NAMES:
            self._characters -= _length(self._words.popitem(last=False)[1])

    def _take_words(self, key: SpanKey) -> Words | None:
        words = self._words.pop(key, None)
        if words is not None:
            self._characters -= _length(words)
        return words

    def _is_over(self, now: float) -> bool:
        """Whether the time of the first kept span is over."""
        return next(iter(self._kept.values()))[0] < now - self._seconds


def _length(words: Words) -> int:
    return len(words.input or "") + len(words.output or "")


def remember(of: OrderedDict[_K, _V], key: _K, value: _V, most: int | None = None) -> None:
    """Set an entry as the latest of `most`, else of `NAMES`: beyond that the oldest is forgotten."""
    of[key] = value
    of.move_to_end(key)
    if len(of) > (NAMES if most is None else most):
        of.popitem(last=False)
