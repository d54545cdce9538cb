"""The verdict on each of a set of spans that are all at hand: for `inspect`, `replay` and tests.

The exporter and the collector see spans as they come, and settle duplicates in the spool; here
everything is known at once, or passes by in the order of a file (`InOrder`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal, NamedTuple

from msgspec.structs import replace

from otel_arthur.genai.call import LLMCall
from otel_arthur.genai.duplicates.completion import completed
from otel_arthur.genai.duplicates.evidence import evidence_of
from otel_arthur.genai.duplicates.kin import kin_of
from otel_arthur.genai.duplicates.matching import duplicates
from otel_arthur.genai.events.log_events import Contents, size_of
from otel_arthur.genai.reading import Reading, read
from otel_arthur.genai.span import SpanKey, SpanView

_SAMPLE: Final = 16
"""The size of one span in so many is measured."""

Decision = Literal["inference", "duplicate", "skipped", "failed"]


class Verdict(NamedTuple):
    """One span and what becomes of it."""

    view: SpanView
    reading: Reading
    decision: Decision
    reason: str
    duplicate_of: SpanKey | None = None
    """Trace and span id of the call that is recorded instead."""


def judge(
    views: Iterable[SpanView], extra: Mapping[str, str] | None = None, metadata_only: bool = False
) -> list[Verdict]:
    """One verdict per span, in the order given; `metadata_only` takes calls without messages too."""
    return _judged([(view, read(view, extra)) for view in views], metadata_only)


def _judged(readings: Sequence[tuple[SpanView, Reading]], metadata_only: bool) -> list[Verdict]:
    calls = [reading.call for _, reading in readings if reading.call is not None]
    kin = kin_of(
        [(call.trace_id, call.span_id) for call in calls],
        {(view.trace_id, view.span_id): view.parent_span_id for view, _ in readings},
    )
    related = [
        call if (own := kin.get((call.trace_id, call.span_id))) is None else replace(call, kin=own)
        for call in calls
    ]
    losers = duplicates([evidence_of(call) for call in related])
    suppressed: dict[SpanKey, list[LLMCall]] = defaultdict(list)
    for call in sorted(calls, key=lambda call: (call.start_ns, call.span_id)):
        if (winner := losers.get((call.trace_id, call.span_id))) is not None:
            suppressed[winner].append(call)
    return [
        _verdict(view, _completed(reading, suppressed), losers, metadata_only) for view, reading in readings
    ]


class InOrder:
    """Verdicts of more spans than memory holds: each is given once no span within the window can change it.

    Of `AT_ONCE` spans and fewer, the verdicts are those of `judge`.

    Args:
        window_ns: how much later than a call, by their ends, its double may come.
        contents: what came for spans in log events until now; of a span it is dropped with its verdict.
    """

    AT_ONCE = 2_000
    MAX_BYTES = 32 * 1024**2
    """Of the spans that wait for their verdicts, about."""

    def __init__(
        self,
        views: Iterable[SpanView],
        extra: Mapping[str, str] | None,
        metadata_only: bool,
        window_ns: int,
        contents: Contents,
    ) -> None:
        self._views = views
        self._extra = extra
        self._metadata_only = metadata_only
        self._window_ns = window_ns
        self._contents = contents
        self.late = 0
        """Spans that came after the verdicts of their time: a double of such a span may not be found."""
        self.early = 0
        """Spans whose verdict was given within the window, as there was no room for more."""

    def __iter__(self) -> Iterator[Verdict]:
        held: list[SpanView] = []
        known: list[tuple[SpanView, Reading]] = []
        room, latest, given, size = self.AT_ONCE, 0, 0, 0
        for number, view in enumerate(self._views):
            end = view.end_ns
            self.late += end < given
            if end > latest:
                latest = end
            held.append(view)
            if number % _SAMPLE == 0:
                size += size_of(view.attributes) * _SAMPLE
            if len(held) <= room and size <= self.MAX_BYTES:
                continue
            edge = latest - self._window_ns
            settled = next((place for place, one in enumerate(held) if one.end_ns >= edge), len(held))
            if size > self.MAX_BYTES and 2 * settled < len(held):
                self.early += (len(held) + 1) // 2 - settled
                settled = (len(held) + 1) // 2
                edge = max(one.end_ns for one in held[:settled])
            # All spans that are held are judged again for the next verdicts: at most as many as are let go.
            if 2 * settled >= len(held):
                known = self._read(held, known)
                yield from self._done(_judged(known, self._metadata_only)[:settled])
                size -= size * settled // len(held)
                held, known, given = held[settled:], known[settled:], edge
            room = len(held) + self.AT_ONCE
        yield from self._done(_judged(self._read(held, known), self._metadata_only))

    def _read(
        self, held: Sequence[SpanView], known: Sequence[tuple[SpanView, Reading]]
    ) -> list[tuple[SpanView, Reading]]:
        """The readings; of the first spans they are known, unless content came for them."""
        found = list(known)
        for place, view in enumerate(held):
            view = self._contents.joined(view)
            if place >= len(known):
                found.append((view, read(view, self._extra)))
            elif view is not found[place][0]:
                found[place] = view, read(view, self._extra)
        return found

    def _done(self, verdicts: Iterable[Verdict]) -> Iterator[Verdict]:
        for verdict in verdicts:
            self._contents.done(verdict.view)
            yield verdict


def _completed(reading: Reading, suppressed: Mapping[SpanKey, Sequence[LLMCall]]) -> Reading:
    call = reading.call
    others = None if call is None else suppressed.get((call.trace_id, call.span_id))
    return reading if call is None or not others else replace(reading, call=completed(call, others))


def _verdict(
    view: SpanView, reading: Reading, losers: Mapping[SpanKey, SpanKey], metadata_only: bool
) -> Verdict:
    call = reading.call
    if call is None:
        return Verdict(view, reading, "skipped", reading.reason)
    winner = losers.get((view.trace_id, view.span_id))
    if winner is not None:
        return Verdict(view, reading, "duplicate", f"the same call as span {winner[1]}", winner)
    if call.failed:
        return Verdict(view, reading, "failed", call.error_type or "the call failed")
    if reading.content_missing and not metadata_only:
        return Verdict(view, reading, "skipped", reading.reason)
    return Verdict(view, reading, "inference", reading.reason)
