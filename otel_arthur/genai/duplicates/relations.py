"""Whether a call may have been told before under the same scope, told at a glance as calls come by.

Two spans of one scope are one call only where they share a response id, or where one is the other's ancestor.
Most calls have no such relation to any other. For these, nobody needs to read the evidence of other calls.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from otel_arthur.genai.duplicates.evidence import Evidence
from otel_arthur.genai.duplicates.likeness import SKEW_NS, SLACK_NS

RELATED: Final = "related"
"""A label of its own: with it, the evidence of a batch is compared even where all have one scope."""
_CALLS: Final = 20_000
"""Twice as many are remembered at most."""
_LABELS: Final = 1_000


class _Names:
    """The names of some calls: the spans that are theirs, the spans above them, the ids of their answers.

    As hashes: whoever keeps the texts of so many calls scatters what is young among what is old, and each
    call that comes by pays for that. Two names of one hash cost one search.
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

    def labels(self, calls: Iterable[Evidence]) -> set[str]:
        """The labels of the evidence of calls: each scope and service, and `RELATED` where two are."""
        labels: set[str] = set()
        for evidence in calls:
            key = (evidence.scope, evidence.process)
            labels.add(self._labels.get(key) or self._label(*key))
            if self._is_related(evidence) or evidence.is_half:
                labels.add(RELATED)
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

    def _is_related(self, evidence: Evidence) -> bool:
        latest, earlier = self._latest, self._earlier
        parent, answer = evidence.parent_span_id, evidence.response_id
        own = hash(evidence.span_id)
        related = own in latest.above or own in earlier.above
        if parent is not None:
            above = hash(parent)
            related = related or above in latest.own or above in earlier.own
            latest.above.add(above)
        if evidence.above or evidence.below:
            related = self._is_kin(evidence) or related
        if answer:
            name = hash(answer)
            ended = latest.ends.get(name) or earlier.ends.get(name)
            # A response id that comes again later is another call's.
            related = related or (ended is not None and evidence.start_ns <= ended + self._slack)
            latest.ends[name] = max(evidence.end_ns, ended or 0)
        latest.own.add(own)
        if len(latest.own) > self._limit:
            self._earlier, self._latest = latest, _Names()
        return related

    def _is_kin(self, evidence: Evidence) -> bool:
        """By the spans above the parent, and by those below that are no calls."""
        below, above = set(map(hash, evidence.below)), set(map(hash, evidence.above))
        names = (self._latest, self._earlier)
        is_kin = any(below & of.above or above & of.own for of in names)
        self._latest.own |= below
        self._latest.above |= above
        return is_kin
