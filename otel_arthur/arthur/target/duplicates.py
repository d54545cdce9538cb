"""A call that two spans describe: the richer span is sent, with the fields that only the other has."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from otel_arthur.inference.completion import completed_row
from otel_arthur.spool.rows import Row
from otel_arthur.target.evidence import EvidenceJudge


class ArthurJudge(EvidenceJudge):
    """See `spool.queue.duplicate_window.Judge`."""

    def complete(self, row: Row, duplicates: Sequence[Row]) -> Row:
        """The row with its missing fields from the other rows."""
        content = completed_row(row.content, [one.content for one in duplicates])
        return row if content is row.content else replace(row, content=content)
