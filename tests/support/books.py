"""The equation of the books: what came in is what became of it."""

from __future__ import annotations

from otel_arthur.delivery import Counts


def balance(counts: Counts) -> None:
    """Every record is in exactly one counter."""
    assert counts.received == counts.spooled + counts.known + sum(counts.skipped.values()) + sum(
        counts.dropped.values()
    )
    assert counts.spooled == (
        counts.sent
        + counts.dead_letter
        + counts.duplicate
        + counts.left
        + sum(counts.skipped_late.values())
        + sum(counts.dropped_late.values())
    )
