"""The verdict on each of a set of spans that are all at hand: for `inspect`, `replay` and tests.

The exporter and the collector see spans as they come, and settle duplicates in the spool; here
everything is known at once, or passes by in the order of a file (`InOrder`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from otel_arthur.genai.call import LLMCall
from otel_arthur.genai.duplicates.completion import completed
from otel_arthur.genai.duplicates.evidence import Evidence, evidence_in, evidence_of
from otel_arthur.genai.duplicates.kin import kin_of
from otel_arthur.genai.duplicates.matching import duplicates
from otel_arthur.genai.events.log_events import Contents
from otel_arthur.genai.events.waiting import size_of
from otel_arthur.genai.planned import Planned
from otel_arthur.genai.reading import Reading, look, read
from otel_arthur.genai.span import SpanKey, SpanView

_SAMPLE: Final = 16
"""The size of one span in so many is measured."""

Decision = Literal["inference", "duplicate", "skipped", "failed"]
Write: TypeAlias = Callable[[Planned], tuple[bytes, Evidence] | None]
"""From a call to its row and its evidence at once, which costs less than one after the other; None where the
call must be put together."""


class Verdict(Struct, frozen=True, gc=False):
    """One span and what becomes of it."""

    view: SpanView
    found: Reading | Planned
    decision: Decision
    reason: str
    duplicate_of: SpanKey | None = None
    """Trace and span id of the call that is recorded instead."""
    row: bytes | None = None
    """The call's row, where somebody wanted it written when the span was read."""

    @property
    def reading(self) -> Reading:
        """What was found, put together."""
        return _reading(self.view, self.found)

    @property
    def call(self) -> LLMCall | None:
        """The call in the span, put together."""
        return _call_in(self.found)


class _Heard(Struct, frozen=True, gc=False):
    """A span and what it testifies; None where it is no call."""

    view: SpanView
    found: Reading | Planned
    evidence: Evidence | None
    row: bytes | None = None


def judge(
    views: Iterable[SpanView], extra: Mapping[str, str] | None = None, metadata_only: bool = False
) -> list[Verdict]:
    """One verdict per span, in the order given; `metadata_only` takes calls without messages too."""
    heard = [_hear(view, extra) for view in views]
    losers, suppressed = _judged(heard)
    return [_verdict(one, losers, suppressed, metadata_only) for one in heard]


def _hear(view: SpanView, extra: Mapping[str, str] | None, write: Write | None = None) -> _Heard:
    found = look(view, extra)
    if isinstance(found, Planned):
        row, evidence = (write and write(found)) or (None, evidence_in(found))
        return _Heard(view, found, evidence, row)
    return _Heard(view, found, None if found.call is None else evidence_of(found.call))


def _reading(view: SpanView, found: Reading | Planned) -> Reading:
    return read(view, found.extra) if isinstance(found, Planned) else found


def _call_in(found: Reading | Planned) -> LLMCall | None:
    return found.whole() if isinstance(found, Planned) else found.call


def _judged(heard: Sequence[_Heard]) -> tuple[Mapping[SpanKey, SpanKey], Mapping[SpanKey, list[LLMCall]]]:
    """Duplicate -> the call that is recorded instead; such a call -> its duplicates, the first one first."""
    calls = [(one.evidence, one.found) for one in heard if one.evidence is not None]
    views = [one.view for one in heard]
    kin = kin_of(
        [evidence.key for evidence, _ in calls],
        {(view.trace_id, view.span_id): parent for view in views if (parent := view.parent_span_id)},
    )
    related = [
        call if (own := kin.get(call.key)) is None else replace(call, above=own.above, below=own.below)
        for call, _ in calls
    ]
    losers = duplicates(related)
    suppressed: dict[SpanKey, list[LLMCall]] = defaultdict(list)
    lost = [one for one in calls if one[0].key in losers] if losers else []
    for evidence, found in sorted(lost, key=lambda one: (one[0].start_ns, one[0].span_id)):
        if (call := _call_in(found)) is not None:
            suppressed[losers[evidence.key]].append(call)
    return losers, suppressed


class InOrder:
    """Verdicts of more spans than memory holds: each is given once no span within the window can change it.

    Of `AT_ONCE` spans and fewer, the verdicts are those of `judge`.

    Args:
        window_ns: how much later than a call, by their ends, its double may come.
        contents: what came for spans in log events until now; of a span it is dropped with its verdict.
        write: where the rows of calls are wanted.
    """

    AT_ONCE = 2_000
    MAX_BYTES = 36 * 1024**2
    """Of the spans that wait for their verdicts, about."""

    def __init__(
        self,
        views: Iterable[SpanView],
        extra: Mapping[str, str] | None,
        metadata_only: bool,
        window_ns: int,
        contents: Contents,
        write: Write | None = None,
    ) -> None:
        self._views = views
        self._extra = extra
        self._write = write
        self._metadata_only = metadata_only
        self._window_ns = window_ns
        self._contents = contents
        self.late = 0
        """Spans that came after the verdicts of their time: a double of such a span may not be found."""
        self.early = 0
        """Spans whose verdict was given within the window, as there was no room for more."""

    def __iter__(self) -> Iterator[Verdict]:
        held: list[SpanView] = []
        heard: list[_Heard] = []
        room, latest, given, size = self.AT_ONCE, 0, 0, 0
        for number, view in enumerate(self._views):
            end = view.end_ns
            self.late += end < given
            if end > latest:
                latest = end
            held.append(view)
            heard.append(_hear(view, self._extra, self._write))
            if number % _SAMPLE == 0:
                # The words are there twice once they are read. One resource serves many spans.
                size += 2 * size_of((view.attributes, view.events)) * _SAMPLE
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
                size -= size * settled // len(held)
                yield from self._done(held, heard, settled)
                given = edge
            room = len(held) + self.AT_ONCE
        yield from self._done(held, heard, len(held))

    def _done(self, held: list[SpanView], heard: list[_Heard], count: int) -> Iterator[Verdict]:
        """The verdicts on the first spans, which leave the lists; each is let go after its verdict."""
        for place, view in enumerate(held):
            with_content = self._contents.joined(view)
            if with_content is not view:
                heard[place] = _hear(with_content, self._extra, self._write)
        losers, suppressed = _judged(heard)
        ending = heard[count - 1 :: -1] if count else []
        del held[:count], heard[:count]
        while ending:
            verdict = _verdict(ending.pop(), losers, suppressed, self._metadata_only)
            self._contents.done(verdict.view)
            yield verdict


def _verdict(
    heard: _Heard,
    losers: Mapping[SpanKey, SpanKey],
    suppressed: Mapping[SpanKey, Sequence[LLMCall]],
    metadata_only: bool,
) -> Verdict:
    view, found, evidence = heard.view, heard.found, heard.evidence
    if losers and evidence is not None:
        if (winner := losers.get(evidence.key)) is not None:
            return Verdict(view, found, "duplicate", f"the same call as span {winner[1]}", winner)
        if others := suppressed.get(evidence.key):
            reading = _reading(view, found)
            found = replace(reading, call=reading.call and completed(reading.call, others))
    if isinstance(found, Planned):
        return Verdict(view, found, "inference", "LLM call", None, heard.row)
    call = found.call
    if call is None:
        return Verdict(view, found, "skipped", found.reason)
    if call.failed:
        return Verdict(view, found, "failed", call.error_type or "the call failed")
    decision = "skipped" if found.content_missing and not metadata_only else "inference"
    return Verdict(view, found, decision, found.reason)
