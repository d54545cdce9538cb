"""Whether a call may have been told before under the same scope, told at a glance as calls come by.

Two spans of one scope are one call only where they share a response id, or where one is the other's ancestor.
Most calls have no such relation to any other. For these, nobody needs to read the evidence of other calls.
"""

from __future__ import annotations

from typing import Final

from otel_arthur.genai.duplicates.evidence import Evidence
from otel_arthur.genai.duplicates.matching import is_at_one_time

RELATED: Final = "related"
"""A label of its own: with it, the evidence of a batch is compared even where all have one scope."""
_CALLS: Final = 20_000
"""Twice as many are remembered at most."""
_LABELS: Final = 1_000


class _Names:
    """The names of some calls: the spans that are theirs, the spans above them, the ids of their answers."""

    __slots__ = ("above", "answers", "own")

    def __init__(self) -> None:
        self.own: set[str] = set()
        self.above: set[str] = set()
        self.answers: dict[str, Evidence] = {}


class Relations:
    """Remembers the ids of the latest calls of one process. Losing a name costs one search, never a call."""

    __slots__ = ("_earlier", "_labels", "_latest", "_limit")

    def __init__(self, limit: int = _CALLS) -> None:
        self._limit = limit
        self._latest = _Names()
        self._earlier = _Names()
        self._labels: dict[tuple[str, str], str] = {}

    def labels(self, evidence: Evidence) -> tuple[str, ...]:
        """The labels of a call's evidence: scope and service, and `RELATED` where it has a relation."""
        key = (evidence.scope, evidence.process)
        label = self._labels.get(key)
        if label is None:
            label = f"{evidence.scope}\t{evidence.process.partition(chr(0))[0]}".replace("\n", " ")
            if len(self._labels) > _LABELS:
                self._labels.clear()
            self._labels[key] = label
        is_related = self._is_related(evidence) or evidence.is_half
        return (label, RELATED) if is_related else (label,)

    def _is_related(self, evidence: Evidence) -> bool:
        latest, earlier = self._latest, self._earlier
        trace, parent, answer = evidence.trace_id, evidence.parent_span_id, evidence.response_id
        own = trace + evidence.span_id
        related = own in latest.above or own in earlier.above
        if parent is not None:
            above = trace + parent
            related = related or above in latest.own or above in earlier.own
            latest.above.add(above)
        if evidence.above or evidence.below:
            related = self._is_kin(evidence) or related
        if answer:
            told = latest.answers.get(answer) or earlier.answers.get(answer)
            # A response id that comes again later is another call's.
            related = related or (told is not None and is_at_one_time(told, evidence))
            latest.answers[answer] = evidence
        latest.own.add(own)
        if len(latest.own) > self._limit:
            self._earlier, self._latest = latest, _Names()
        return related

    def _is_kin(self, evidence: Evidence) -> bool:
        """By the spans above the parent, and by those below that are no calls."""
        below = {evidence.trace_id + span for span in evidence.below}
        above = {evidence.trace_id + span for span in evidence.above}
        names = (self._latest, self._earlier)
        is_kin = any(below & of.above or above & of.own for of in names)
        self._latest.own |= below
        self._latest.above |= above
        return is_kin
