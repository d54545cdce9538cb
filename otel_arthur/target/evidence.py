"""The evidence of duplicates among the calls of a batch, for targets that hold calls back alike."""

from __future__ import annotations

from collections.abc import Sequence

from otel_arthur.genai.call import LLMCall
from otel_arthur.genai.duplicates.deciding import decide
from otel_arthur.genai.duplicates.evidence import Evidence, evidence_of
from otel_arthur.genai.duplicates.gathering import Gathering
from otel_arthur.genai.duplicates.relations import Relations
from otel_arthur.spool.batches import BatchEvidence
from otel_arthur.spool.queue.duplicate_window import Hearing, Verdict
from otel_arthur.spool.rows import Row


class HeldEvidence:
    """The ends of the calls of a batch, and their evidence of duplicates, until the batch is appended.

    Of a call only its rows are kept besides, as bytes: each object that lives until the end of a batch is
    work for the garbage collector.

    Args:
        window: seconds that rows wait for a duplicate; with 0 they do not wait, and no evidence is kept.
    """

    __slots__ = ("_ended", "_gathering")

    def __init__(self, relations: Relations, window: float) -> None:
        self._gathering = Gathering(relations) if window else None
        self._ended: list[int] = []

    def add(self, call: LLMCall) -> None:
        self.add_end(call.end_ns)
        if self._gathering is not None:
            self._gathering.add(evidence_of(call))

    def add_evidence(self, evidence: Sequence[Evidence]) -> None:
        """As `add`, of calls whose evidence is known."""
        self._ended += [one.end_ns for one in evidence]
        if self._gathering is not None:
            self._gathering.add_all(evidence)

    def add_end(self, end_ns: int) -> None:
        """Add the end of a span that is no call."""
        self._ended.append(end_ns)

    @property
    def written(self) -> BatchEvidence | None:
        """The evidence of a batch."""
        return None if self._gathering is None else BatchEvidence(*self._gathering.written())

    @property
    def ended(self) -> tuple[int, int] | None:
        """When the first and the last of the spans ended, in Unix nanoseconds."""
        return (min(self._ended), max(self._ended)) if self._ended else None


class EvidenceJudge:
    """A `Judge` that decides by the evidence, sends nothing in a duplicate's place, and completes no row."""

    def decide(self, hearing: Hearing) -> Verdict:
        return Verdict(*decide(hearing))

    def demote(self, row: Row, kept: str) -> Row | None:
        return None

    def complete(self, row: Row, duplicates: Sequence[Row]) -> Row:
        return row
