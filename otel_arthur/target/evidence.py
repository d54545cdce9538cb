"""What shows duplicates among the calls of a batch, for targets that hold calls back alike."""

from __future__ import annotations

from collections.abc import Sequence

from otel_arthur.genai.call import LLMCall
from otel_arthur.genai.duplicates.deciding import decide
from otel_arthur.genai.duplicates.gathering import Gathering
from otel_arthur.genai.duplicates.relations import Relations
from otel_arthur.spool.batches import BatchEvidence
from otel_arthur.spool.queue.duplicate_window import Hearing, Verdict
from otel_arthur.spool.rows import Row


class HeldEvidence:
    """What is kept of calls until their batch is appended: when they ended, and the evidence of duplicates.

    Nothing else of a call is kept but its rows, as bytes: all that lives until the end of a batch is work for
    the garbage collector.

    Args:
        window: seconds that rows wait for a duplicate; 0 is not at all, and then no evidence is kept.
    """

    __slots__ = ("_ended", "_gathering")

    def __init__(self, relations: Relations, window: float) -> None:
        self._gathering = Gathering(relations) if window else None
        self._ended: list[int] = []

    def add(self, call: LLMCall) -> None:
        self._ended.append(call.end_ns)
        if self._gathering is not None:
            self._gathering.add(call)

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
