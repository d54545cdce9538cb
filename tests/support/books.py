"""The equation of the books: what came in is what became of it."""

from __future__ import annotations

from otel_arthur.delivery import Counts


def balance(counts: Counts) -> None:
    """Every record is in exactly one counter."""
    assert counts.unaccounted == 0, counts
