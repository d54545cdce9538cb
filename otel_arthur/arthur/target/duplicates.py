"""What becomes of a call that two spans tell of: the richer one is sent, with what it lacks of the other."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from otel_arthur.genai.duplicates.deciding import decide
from otel_arthur.inference.completion import completed_row
from otel_arthur.spool.queue.duplicate_window import Hearing, Verdict
from otel_arthur.spool.rows import Row


class ArthurJudge:
    """See `spool.duplicate_window.Judge`."""

    def decide(self, hearing: Hearing) -> Verdict:
        """The duplicates among the calls that are due."""
        return Verdict(*decide(hearing))

    def demote(self, row: Row, kept: str) -> Row | None:
        """Nothing goes in a duplicate's place."""
        return None

    def complete(self, row: Row, duplicates: Sequence[Row]) -> Row:
        """The row with the fields that it lacks."""
        return replace(row, content=completed_row(row.content, [one.content for one in duplicates]))
