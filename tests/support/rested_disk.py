"""A disk that failed is left alone for seconds: tests do not wait for them."""

from __future__ import annotations

from otel_arthur.spool.fallback.backed import BackedSpool


def ask_again(spool: BackedSpool) -> None:
    """The next operation asks the disk again, as it would after its rest."""
    assert spool._disk is not None
    spool._disk._retry_at = spool._disk._full_until = 0.0
