"""Halves: spans of a call that hold no words, and complete another span of the same call that has them.

A provider's client knows the finish reason that a framework's instrumentation loses, and records no words
unless a switch is set. A half alone is worthless. `Halves` finds the span that the half completes, in
whichever order the two come. Bookkeeping without clock, lock or thread.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Final

from otel_arthur.genai.call import LLMCall
from otel_arthur.genai.duplicates.evidence import Evidence, evidence_of
from otel_arthur.genai.duplicates.likeness import is_at_one_time
from otel_arthur.genai.duplicates.matching import duplicates
from otel_arthur.genai.planned import Planned, whole
from otel_arthur.genai.span import SpanKey

_LATEST: Final = 256
_AT_FIRST: Final = 8
"""Until the first half comes, calls themselves are remembered: their evidence costs more than all else."""


class Halves:
    """The halves that wait for a call with words, and the latest calls with words."""

    __slots__ = ("_calls", "_latest", "_waiting")

    def __init__(self) -> None:
        self._waiting: dict[SpanKey, Evidence] = {}
        self._calls: deque[LLMCall | Planned] | None = deque(maxlen=_AT_FIRST)
        self._latest: deque[Evidence] = deque(maxlen=_LATEST)

    def goes_with_a_call(self, half: LLMCall) -> bool:
        """Whether a half completes one of the latest calls; if not, the half waits."""
        calls, self._calls = self._calls, None
        if calls is not None:
            self._latest.extend([evidence_of(whole(call)) for call in tuple(calls)])
        evidence = evidence_of(half)
        if _doubles(tuple(self._latest), [evidence]):
            return True
        self._waiting[evidence.key] = evidence
        return False

    def of(self, call: LLMCall | Planned) -> list[SpanKey]:
        """Take the halves that waited for this call."""
        calls = self._calls
        if calls is not None:
            calls.append(call)
            return []
        evidence = evidence_of(whole(call))
        self._latest.append(evidence)
        if not self._waiting:
            return []
        found = _doubles([evidence], self._waiting.values())
        for key in found:
            del self._waiting[key]
        return found

    def give_up(self, key: SpanKey) -> None:
        """A half waits no more."""
        self._waiting.pop(key, None)


def _doubles(calls: Iterable[Evidence], halves: Iterable[Evidence]) -> list[SpanKey]:
    """The `halves` that describe one of `calls`."""
    halves = list(halves)
    near = [call for call in calls if any(is_at_one_time(call, half) for half in halves)]
    if not near:
        return []
    losers = duplicates([*near, *halves])
    words = {call.key for call in near}
    return [half.key for half in halves if losers.get(half.key) in words]
