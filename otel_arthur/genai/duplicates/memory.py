"""The calls that another description may be compared with, found by what the two must share.

Whatever says that two spans are one call (see `matching`) begins with something that both have: a response
id, a span of which one is above the other, words or token counts of one process. So of all calls of the last
minutes only those are looked at that share such a key with a call in question, at one time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Final

from otel_arthur.genai.duplicates.evidence import Evidence
from otel_arthur.genai.duplicates.likeness import SKEW_NS, SLACK_NS
from otel_arthur.genai.span import SpanKey

_LIMIT: Final = 32_768
"""Calls of one generation; there are two."""

Heard = tuple[int, Evidence]
"""A call, and the number of the batch that it is in."""


class _Batch:
    __slots__ = ("calls", "keys", "owners")

    def __init__(self, calls: Sequence[Evidence]) -> None:
        self.calls = calls
        self.keys: list[int] = []
        self.owners: list[Evidence] = []
        """The call that each of the keys is of."""

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
        """Key -> the batch in which a call has it: the latest, where there are several."""
        self.of_several: dict[int, set[int]] = {}
        """The keys that calls of several batches have."""
        self.size = 0

    def put(self, number: int, keys: set[int]) -> None:
        """Have a batch found by these keys: all at once, as sets, for one by one they would cost far more."""
        for key in self.homes.keys() & keys:
            if self.homes[key] != number:
                self.of_several.setdefault(key, {self.homes[key]}).add(number)
        self.homes.update(dict.fromkeys(keys, number))

    def elsewhere(self, asked: set[int], whole: Collection[int]) -> dict[int, Collection[int]]:
        """Those of the keys that a batch besides `whole` has, with the batches that have each."""
        own = {key for number in whole if number in self.batches for key in self.batches[number].keys}
        found: dict[int, Collection[int]] = {
            key: (self.homes[key],) for key in (asked & self.homes.keys()) - own
        }
        found.update((key, self.of_several[key]) for key in asked & self.of_several.keys())
        return found


class Memory:
    """The latest batches, by number. What is not here any more can be added again."""

    def __init__(self, limit: int = _LIMIT) -> None:
        self._limit = limit
        self._generations = [_Generation()]
        self._knows_wordless = False

    def of(self, number: int) -> Sequence[Evidence] | None:
        """The calls of a batch; None where it is not here."""
        for generation in self._generations:
            if (found := generation.batches.get(number)) is not None:
                return found.calls
        return None

    def add(self, number: int, calls: Sequence[Evidence]) -> None:
        """Remember a batch."""
        if self._generations[0].size >= self._limit:
            self._generations = [_Generation(), self._generations[0]]
        latest = self._generations[0]
        batch = latest.batches[number] = _Batch(calls)
        latest.size += len(calls)
        latest.put(number, batch.tell(_told))
        if self._knows_wordless:
            latest.put(number, batch.tell(_told_counts))
        elif any(call.answer is None for call in calls):
            # The first: from now on calls are found by their counts as well.
            self._knows_wordless = True
            for generation in self._generations:
                for its_number, its in generation.batches.items():
                    generation.put(its_number, its.tell(_told_counts))

    def near(
        self, calls: Collection[Evidence], since: int, whole: Collection[int] = ()
    ) -> Mapping[SpanKey, Heard]:
        """The calls of batches from `since` on, besides `calls`, that may be the same as one of `calls`.

        Args:
            whole: batches of which all calls are among `calls`.
        """
        asked = {key for call in calls for key in _asked(call)}
        if self._knows_wordless:
            asked.update(key for call in calls for key in _asked_counts(call))
        processes = {call.process for call in calls}
        start = min([call.start_ns for call in calls], default=0)
        end = max([call.end_ns for call in calls], default=0)
        own = {id(call) for call in calls}
        found: dict[SpanKey, Heard] = {}
        for generation in self._generations:
            for key, numbers in generation.elsewhere(asked, whole).items():
                for number in numbers:
                    if number < since or number in whole:
                        continue
                    for call in generation.batches[number].found(key):
                        slack = SLACK_NS if processes == {call.process} else SKEW_NS
                        if (
                            call.end_ns >= start - slack
                            and call.start_ns <= end + slack
                            and id(call) not in own
                        ):
                            found[call.key] = (number, call)
        return found


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
    """Counts alone tell nothing of two calls whose words are known."""
    both = (True, False) if call.answer is None else (True,)
    return [] if call.tokens is None else [hash((call.process, call.tokens, one)) for one in both]
