"""The calls that a new description is compared with, found by keys that the two must share.

All evidence that two spans are one call (see `matching`) begins with a key that both have: a response id, a
span of which one is above the other, words or token counts of one process. So only those calls of the last
minutes are looked at that share such a key, at one time, with a call in question.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterable, Sequence
from typing import Final

from otel_arthur.genai.duplicates.evidence import Evidence
from otel_arthur.genai.duplicates.likeness import SKEW_NS, SLACK_NS
from otel_arthur.genai.span import SpanKey

_LIMIT: Final = 32_768
"""Calls of one generation; there are two."""

Heard = tuple[int, Evidence]
"""A call, and the number of the batch that it is in."""
_Columns = tuple[list[int], Sequence[Evidence]]
"""Keys, and beside each the call that has it. Call by call they would cost three times as much."""


class _Batch:
    __slots__ = ("calls", "end", "keys", "owners", "start")

    def __init__(self, calls: Sequence[Evidence]) -> None:
        self.calls = calls
        self.start = min([call.start_ns for call in calls], default=0)
        self.end = max([call.end_ns for call in calls], default=0)
        self.keys: list[int] = []
        self.owners: list[Evidence] = []
        """Key -> the call that has the key."""


class _Generation:
    __slots__ = ("batches", "homes", "of_several", "size")

    def __init__(self) -> None:
        self.batches: dict[int, _Batch] = {}
        self.homes: dict[int, int] = {}
        """Key -> the latest batch in which a call has the key."""
        self.of_several: dict[int, set[int]] = {}
        """The keys that calls of several batches have."""
        self.size = 0

    def tell(self, number: int, columns: _Columns) -> None:
        """Have a batch found by keys: all at once, as sets, for one by one they would cost far more."""
        batch, keys = self.batches[number], set(columns[0])
        batch.keys += columns[0]
        batch.owners += columns[1]
        for key in self.homes.keys() & keys:
            if self.homes[key] != number:
                self.of_several.setdefault(key, {self.homes[key]}).add(number)
        self.homes.update(dict.fromkeys(keys, number))


class Memory:
    """The latest batches, by number. A batch that is no longer here can be added again."""

    def __init__(self, limit: int = _LIMIT) -> None:
        self._limit = limit
        self._generations = [_Generation()]
        self._processes: set[str] = set()
        self._knows_wordless = False

    def of(self, number: int) -> Sequence[Evidence] | None:
        """The calls of a batch; None where it is not here."""
        for generation in self._generations:
            if (found := generation.batches.get(number)) is not None:
                return found.calls
        return None

    def add(self, number: int, calls: Sequence[Evidence]) -> None:
        """Remember a batch. Its calls are unpacked when a call of their time is first in question."""
        if self._generations[0].size >= self._limit:
            self._generations = [_Generation(), self._generations[0]]
        latest = self._generations[0]
        latest.batches[number] = _Batch(calls)
        latest.size += len(calls)
        if len(self._processes) < 2:
            self._processes |= {call.process for call in calls}
        if not self._knows_wordless and any(call.answer is None for call in calls):
            # The first: from now on calls are found by their counts as well.
            self._knows_wordless = True
            for generation in self._generations:
                for told, batch in generation.batches.items():
                    if batch.keys:
                        generation.tell(told, _counts(batch.calls))

    def near(self, calls: Collection[Evidence], since: int, besides: Collection[int]) -> dict[SpanKey, Heard]:
        """The calls of batches from `since` on that may be the same as one of `calls`.

        Args:
            besides: batches that are not looked into.
        """
        slack = SLACK_NS if len(self._processes) < 2 else SKEW_NS
        start = min([call.start_ns for call in calls]) - slack
        end = max([call.end_ns for call in calls]) + slack
        batches = {
            number: batch
            for generation in self._generations
            for number, batch in generation.batches.items()
            if batch.end >= start and batch.start <= end and number >= since and number not in besides
        }
        starts, ends = _times(batches.values(), slack)
        calls = [
            call
            for call in (calls if ends else ())
            if (place := bisect_left(ends, call.start_ns)) < len(ends) and starts[place] <= call.end_ns
        ]
        if not calls:
            return {}
        asked = {*_shared(calls)[0], *[~key for key in _kin(calls)[0]]}
        if self._knows_wordless:
            # Counts alone say nothing about two calls whose words are known.
            asked.update(_counts(calls, True)[0])
            asked.update(_counts([call for call in calls if call.answer is None], False)[0])
        found: dict[SpanKey, Heard] = {}
        for generation in self._generations:
            for number in generation.batches.keys() & batches.keys():
                told = batches[number].calls
                if not batches[number].keys:
                    generation.tell(number, _shared(told))
                    generation.tell(number, _kin(told))
                    if self._knows_wordless:
                        generation.tell(number, _counts(told))
            shared = asked & generation.homes.keys()
            homes = {n for key in shared for n in generation.of_several.get(key, (generation.homes[key],))}
            for number in batches.keys() & homes:
                for key, call in zip(batches[number].keys, batches[number].owners, strict=True):
                    if key in shared and call.end_ns >= start and call.start_ns <= end:
                        found[call.key] = (number, call)
        return found


def _times(batches: Iterable[_Batch], slack: int) -> tuple[list[int], list[int]]:
    """The times of which there are batches, apart from each other: their starts and their ends."""
    starts: list[int] = []
    ends: list[int] = []
    for start, end in sorted((batch.start - slack, batch.end + slack) for batch in batches):
        if ends and start <= ends[-1]:
            ends[-1] = max(ends[-1], end)
        else:
            starts.append(start)
            ends.append(end)
    return starts, ends


def _shared(calls: Sequence[Evidence]) -> _Columns:
    """What two calls have alike."""
    answered = [call for call in calls if call.response_id is not None]
    worded = [call for call in calls if call.answer is not None]
    failed = [call for call in calls if call.failed]
    keys = [hash(call.response_id) for call in answered]
    keys += [hash(call.process) ^ call.answer for call in worded if call.answer is not None]
    keys += [hash((call.process, "failed")) for call in failed]
    return keys, [*answered, *worded, *failed]


def _kin(calls: Sequence[Evidence]) -> _Columns:
    """A call's own spans, and inverted those above it: who asks inverts all."""
    below = [call for call in calls if call.parent_span_id is not None and not call.above]
    keys = [hash(call.span_id) for call in calls] + [~hash(call.parent_span_id) for call in below]
    owners = [*calls, *below]
    for call in calls:
        if call.above or call.below:
            more = [*map(hash, call.below), *[~hash(span) for span in call.above]]
            keys += more
            owners += [call] * len(more)
    return keys, owners


def _counts(calls: Sequence[Evidence], wordless: bool | None = None) -> _Columns:
    """Token counts, and whether there are no words: as it is, or as asked for."""
    counted = [call for call in calls if call.tokens is not None]
    return [
        hash((call.process, call.tokens, call.answer is None if wordless is None else wordless))
        for call in counted
    ], counted
