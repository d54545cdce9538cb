"""The spans that a replay sends beside the calls, to a target of whole traces."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from msgspec import Struct

from otel_arthur.cli.commands.replay.work import Item, Work
from otel_arthur.cli.files.verdicts import Placed
from otel_arthur.cli.terminal.output import plural, say
from otel_arthur.engine.trees import remember
from otel_arthur.genai.duplicates.verdicts import InOrder, Verdict
from otel_arthur.genai.steps.kinds import CHAIN
from otel_arthur.genai.steps.reading import around
from otel_arthur.genai.steps.step import Meaning, Step, frame_of

WINDOW_NS: Final = 60 * 10**9
"""A trace is sent once so much later spans were read."""
MOST: Final = 10_000
"""Spans that wait for the rest of their traces."""
_NAMES: Final = 20_000
"""Traces that are remembered after they were sent, or left out."""


class Chunk(NamedTuple):
    """Calls that are handed over at once."""

    calls: list[Item]
    around: list[Meaning]
    """Of the traces of these calls and of calls before them."""
    done: dict[int, int]
    """File -> how many of its spans are dealt with once this chunk is."""


def calls_alone(placed: Iterable[Placed], work: Work, size: int, most_bytes: int) -> Iterator[Chunk]:
    """Chunks of calls without what is around them; of large calls fewer than `size`."""
    calls: list[Item] = []
    taken = work.bytes
    for one in placed:
        if (item := work.item(one)) is None:
            continue
        calls.append(item)
        if work.is_full:
            break
        if len(calls) == size or work.bytes - taken > most_bytes:
            yield Chunk(calls, [], {item.file: item.position for item in calls})
            calls, taken = [], work.bytes
    if calls:
        yield Chunk(calls, [], {item.file: item.position for item in calls})


class _Trace(Struct):
    calls: list[Item]
    around: list[tuple[int, Meaning]]
    first: dict[int, int]
    """File -> the position of its first span."""
    size: int = 0
    end_ns: int = 0


class Traces:
    """Calls with the spans around them, trace by trace; each once nothing of its time may follow."""

    def __init__(self, placed: Iterable[Placed], work: Work, size: int) -> None:
        self._placed = placed
        self._work = work
        self._size = size
        self._held: OrderedDict[str, _Trace] = OrderedDict()
        self._sent: OrderedDict[str, None] = OrderedDict()
        self._passed: OrderedDict[str, None] = OrderedDict()
        self.torn = 0
        """Traces with calls of which earlier spans are left out, as no call of theirs was known then."""

    def __iter__(self) -> Iterator[Chunk]:
        latest = held = 0
        ends: dict[int, int] = {}
        chunk = Chunk([], [], ends)
        for placed in self._placed:
            verdict, file, position = placed
            ends[file] = position
            trace = self._held.setdefault(verdict.view.trace_id, _Trace([], [], {}))
            self._held.move_to_end(verdict.view.trace_id)
            trace.first.setdefault(file, position)
            trace.size += 1
            trace.end_ns = max(trace.end_ns, verdict.view.end_ns)
            latest = max(latest, verdict.view.end_ns)
            if (item := self._work.item(placed)) is not None:
                trace.calls.append(item)
            elif (meaning := _meaning(verdict)) is not None:
                trace.around.append((verdict.view.end_ns, meaning))
            held += 1
            while held > InOrder.AT_ONCE and (held > MOST or self._oldest().end_ns < latest - WINDOW_NS):
                held -= self._let_go(chunk)
            if len(chunk.calls) >= self._size:
                yield chunk._replace(done=self._done(ends))
                chunk = Chunk([], [], ends)
            if self._work.is_full and not any(trace.calls for trace in self._held.values()):
                break
        while self._held:
            self._let_go(chunk)
            if len(chunk.calls) >= self._size:
                yield chunk._replace(done=self._done(ends))
                chunk = Chunk([], [], ends)
        yield chunk

    def say_end(self) -> None:
        """Print what the window cost."""
        if self.torn:
            say(
                f"Note: {plural(self.torn, 'trace')} had no span for {WINDOW_NS // 10**9} seconds, or while "
                f"{MOST} others passed, so spans around their calls may be missing; sort the files by time",
                err=True,
            )

    def _oldest(self) -> _Trace:
        return next(iter(self._held.values()))

    def _let_go(self, chunk: Chunk) -> int:
        """Move the trace that had no span for longest into the chunk; returns the number of its spans."""
        trace_id, trace = self._held.popitem(last=False)
        if trace.calls or trace_id in self._sent:
            self.torn += self._passed.pop(trace_id, self) is None
            chunk.calls.extend(trace.calls)
            chunk.around.extend(one for _, one in sorted(trace.around, key=lambda one: one[0]))
            remember(self._sent, trace_id, None, _NAMES)
        elif trace.around:
            remember(self._passed, trace_id, None, _NAMES)
        return trace.size

    def _done(self, ends: dict[int, int]) -> dict[int, int]:
        """What comes again to complete a trace that is held is not dealt with."""
        done = dict(ends)
        for trace in self._held.values():
            for file, position in trace.first.items():
                done[file] = min(done[file], position - 1)
        return done


def _meaning(verdict: Verdict) -> Meaning | None:
    """A span that is no call, or a duplicate as a chain."""
    if verdict.call is None:
        return around(verdict.view)
    return Step(frame_of(verdict.view), CHAIN) if verdict.decision == "duplicate" else None
