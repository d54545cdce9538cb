"""A cheap first look: may an earlier span of the same scope describe this call?

Two spans of one scope are one call only where they share a response id, or where one is the other's ancestor.
Most calls have no such relation to any other. For these, nobody needs to read the evidence of other calls.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Final

from otel_arthur.genai.duplicates.evidence import Evidence
from otel_arthur.genai.duplicates.likeness import SKEW_NS, SLACK_NS

RELATED: Final = "related"
"""A label that has the evidence of a batch compared even where all calls have one scope."""
_CALLS: Final = 20_000
"""Twice as many are remembered at most."""
_LABELS: Final = 1_000
_WHOSE, _SPAN_ID, _IS_HALF = attrgetter("scope", "process"), attrgetter("span_id"), attrgetter("is_half")


class _Names:
    """The names of some calls: the spans that are theirs, the spans above them, the ids of their answers.

    As hashes: so many texts would lie scattered in memory, and each later call would pay for that. Two names
    of one hash cost one search.
    """

    __slots__ = ("above", "ends", "own")

    def __init__(self) -> None:
        self.own: set[int] = set()
        self.above: set[int] = set()
        self.ends: dict[int, int] = {}
        """Response id -> when the latest call that it answered ended."""


class Relations:
    """Remembers the ids of the latest calls of one process."""

    __slots__ = ("_earlier", "_labels", "_latest", "_limit", "_process", "_slack")

    def __init__(self, limit: int = _CALLS) -> None:
        self._limit = limit
        self._latest = _Names()
        self._earlier = _Names()
        self._labels: dict[tuple[str, str], str] = {}
        self._process: str | None = None
        self._slack = SLACK_NS

    @property
    def are_several(self) -> bool:
        """Whether calls came by under several scopes, or of several services."""
        return len(self._labels) > 1

    def labels(self, calls: Sequence[Evidence]) -> set[str]:
        """The labels of a batch's evidence: each scope and service, and `RELATED` where a call is related to
        another one, of the batch or of before.

        All at once, as sets: asked one by one, each call costs several walks through memory.
        """
        labels: set[str] = set()
        for scope, process in set(map(_WHOSE, calls)):
            labels.add(self._labels.get((scope, process)) or self._label(scope, process))
        is_related = self._is_kin(calls)
        is_related = self._is_answered_twice(calls) or is_related
        if is_related or any(map(_IS_HALF, calls)):
            labels.add(RELATED)
        if len(self._latest.own) > self._limit:
            self._earlier, self._latest = self._latest, _Names()
        return labels

    def _label(self, scope: str, process: str) -> str:
        if self._process is None:
            self._process = process
        elif process != self._process:
            self._slack = SKEW_NS
        if len(self._labels) > _LABELS:
            self._labels.clear()
        service = process.partition("\0")[0]
        label = self._labels[scope, process] = f"{scope}\t{service}".replace("\n", " ")
        return label

    def _is_kin(self, calls: Sequence[Evidence]) -> bool:
        """Whether a span of one call is above another call."""
        own = set(map(hash, map(_SPAN_ID, calls)))
        above = {hash(call.parent_span_id) for call in calls if call.parent_span_id is not None}
        for call in calls:
            if call.above or call.below:
                own.update(map(hash, call.below))
                above.update(map(hash, call.above))
        latest, earlier = self._latest, self._earlier
        latest.own |= own
        latest.above |= above
        return any(
            not one.isdisjoint(other)
            for one, other in (
                *((own, latest.above), (own, earlier.above)),
                *((above, latest.own), (above, earlier.own)),
            )
        )

    def _is_answered_twice(self, calls: Sequence[Evidence]) -> bool:
        """Whether two calls of one time have one response id; later it is another call's."""
        latest, earlier = self._latest.ends, self._earlier.ends
        answered = [call for call in calls if call.response_id]
        ends = {hash(call.response_id): call.end_ns for call in answered}
        if len(ends) == len(answered) and latest.keys().isdisjoint(ends) and earlier.keys().isdisjoint(ends):
            latest.update(ends)
            return False
        found = False
        for call in answered:
            name = hash(call.response_id)
            ended = latest.get(name) or earlier.get(name)
            found = found or (ended is not None and call.start_ns <= ended + self._slack)
            latest[name] = max(call.end_ns, ended or 0)
        return found
