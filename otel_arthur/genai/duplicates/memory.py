"""The calls that a new description is compared with, found by keys that the two must share.

All evidence that two spans are one call (see `matching`) begins with a key that both have: a response id, a
span of which one is above the other, words or token counts of one process. So only those calls of the last
minutes are looked at that share such a key, at one time, with a call in question.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Final

from otel_arthur.genai.duplicates.evidence import Evidence
from otel_arthur.genai.duplicates.likeness import SKEW_NS, SLACK_NS
from otel_arthur.genai.span import SpanKey

_LIMIT: Final = 32_768
"""Calls of one generation; there are two."""

Heard = tuple[int, Evidence]
"""A call, and the number of the batch that it is in."""


class _Batch:
    __slots__ = ("calls", "end", "keys", "owners", "start")

    def __init__(self, calls: Sequence[Evidence]) -> None:
        self.calls = calls
        self.start = min([call.start_ns for call in calls], default=0)
        self.end = max([call.end_ns for call in calls], default=0)
        self.keys: list[int] = []
        self.owners: list[Evidence] = []
        """Key -> the call that has the key."""

    def tell(self, keys_of: Callable[[Evidence], Sequence[int]]) -> set[int]:
        """Have this batch's calls found under `keys_of(call)` too; returns these keys."""
        before = len(self.keys)
        for call in self.calls:
            keys = keys_of(call)
            self.keys += keys
            self.owners += [call] * len(keys)
        return set(self.keys[before:])

    def found(self, key: int) -> Iterator[Evidence]:
        """The calls of a key."""
        place = -1
        for _ in range(self.keys.count(key)):
            place = self.keys.index(key, place + 1)
            yield self.owners[place]


class _Generation:
    __slots__ = ("batches", "homes", "of_several", "size")

    def __init__(self) -> None:
        self.batches: dict[int, _Batch] = {}
        self.homes: dict[int, int] = {}
        """Key -> the latest batch in which a call has the key."""
        self.of_several: dict[int, set[int]] = {}
        """The keys that calls of several batches have."""
        self.size = 0

    def tell(self, number: int, keys_of: Callable[[Evidence], Sequence[int]]) -> None:
        """Have a batch found by keys: all at once, as sets, for one by one they would cost far more."""
        keys = self.batches[number].tell(keys_of)
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
                for told in [number for number, batch in generation.batches.items() if batch.keys]:
                    generation.tell(told, _told_counts)

    def near(self, calls: Collection[Evidence], since: int, besides: Collection[int]) -> dict[SpanKey, Heard]:
        """The calls of batches from `since` on that may be the same as one of `calls`.

        Args:
            besides: batches that are not looked into.
        """
        slack = SLACK_NS if len(self._processes) < 2 else SKEW_NS
        times = self._times(since, besides, slack)
        calls = [
            call
            for call in calls
            if any(call.end_ns >= start and call.start_ns <= end for start, end in times)
        ]
        if not calls:
            return {}
        asked = {key for call in calls for key in _asked(call)}
        if self._knows_wordless:
            asked.update(key for call in calls for key in _asked_counts(call))
        start = min([call.start_ns for call in calls]) - slack
        end = max([call.end_ns for call in calls]) + slack
        found: dict[SpanKey, Heard] = {}
        for generation in self._generations:
            numbers = {
                number
                for number, batch in generation.batches.items()
                if number >= since and number not in besides and batch.end >= start and batch.start <= end
            }
            for number in numbers:
                if not generation.batches[number].keys:
                    generation.tell(number, _told)
                    if self._knows_wordless:
                        generation.tell(number, _told_counts)
            for key in asked & generation.homes.keys():
                for number in numbers.intersection(generation.of_several.get(key, (generation.homes[key],))):
                    for call in generation.batches[number].found(key):
                        if call.end_ns >= start and call.start_ns <= end:
                            found[call.key] = (number, call)
        return found

    def _times(self, since: int, besides: Collection[int], slack: int) -> list[tuple[int, int]]:
        """The times of which there are such batches, each from a start to an end."""
        several = sorted(
            (batch.start - slack, batch.end + slack)
            for generation in self._generations
            for number, batch in generation.batches.items()
            if number >= since and number not in besides
        )
        times: list[tuple[int, int]] = []
        for start, end in several:
            if times and start <= times[-1][1]:
                times[-1] = times[-1][0], max(times[-1][1], end)
            else:
                times.append((start, end))
        return times


def _told(call: Evidence) -> list[int]:
    """The keys under which a call is found."""
    keys = _shared(call)
    keys.append(hash(call.span_id))
    if call.below:
        keys += map(hash, call.below)
    if call.parent_span_id is not None or call.above:
        keys += [~hash(span) for span in call.above or (call.parent_span_id,)]
    return keys


def _asked(call: Evidence) -> list[int]:
    """The keys by which a call finds others."""
    keys = _shared(call)
    keys.append(~hash(call.span_id))
    if call.below:
        keys += [~hash(span) for span in call.below]
    if call.parent_span_id is not None or call.above:
        keys += map(hash, call.above or (call.parent_span_id,))
    return keys


def _shared(call: Evidence) -> list[int]:
    keys: list[int] = []
    if call.response_id is not None:
        keys.append(hash(call.response_id))
    if call.answer is not None:
        keys.append(hash(call.process) ^ call.answer)
    if call.failed:
        keys.append(hash((call.process, "failed")))
    return keys


def _told_counts(call: Evidence) -> list[int]:
    return [] if call.tokens is None else [hash((call.process, call.tokens, call.answer is None))]


def _asked_counts(call: Evidence) -> list[int]:
    """Counts alone say nothing about two calls whose words are known."""
    both = (True, False) if call.answer is None else (True,)
    return [] if call.tokens is None else [hash((call.process, call.tokens, one)) for one in both]
