"""What can become of a row: one vocabulary for memory, disk, metrics, ``spool status`` and the log."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final


class Outcome(str, Enum):
    """Where a row or a span ended. The words are stored and shown: never rename one."""

    KNOWN = "known"
    """Presented to the spool again: it waits already, or was accepted not long ago."""
    REFUSED = "refused"
    """Never taken: there was no room, on the disk and in memory."""
    SKIPPED = "skipped"
    """Left out on purpose, with a reason."""
    DUPLICATE = "duplicate"
    """Another row tells of the same call."""
    SENT = "sent"
    """Accepted by the target."""
    DEAD_LETTER = "dead_letter"
    """Refused by the target for good."""
    MOVED = "moved"
    """Waits under another destination now."""
    DROPPED = "dropped"
    """Given up after it was taken, with a reason."""


RECEIVED: Final = "received"
"""Everything that came in, counted by each process."""
APPENDED: Final = "appended"
"""What a spool took."""

MENDED: Final = "mended"
"""Changed so that a target can take it: no outcome of a row, and counted beside them."""

AT_THE_DOOR: Final = frozenset({Outcome.KNOWN, Outcome.REFUSED})
"""Outcomes of what a spool never took."""


def unaccounted(entered: int, ended: Mapping[Outcome, int], waiting: int) -> int:
    """The equation of the books, in = sum of outcomes + waiting: 0 where it holds.

    - Of one destination on disk: what was appended, the outcomes but those at the door, what waits.
    - Of one process that alone uses a spool and began with it empty: what was received, all outcomes, what
      waits.

    Args:
        entered: rows; a span that was skipped counts as one.
    """
    return entered - sum(ended.values()) - waiting
