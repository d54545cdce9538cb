"""The kinds of the rows that go to the Engine."""

from __future__ import annotations

from enum import IntEnum

from otel_arthur.spool.rows import FIRST_KIND


class Kind(IntEnum):
    """The kinds of the Engine's rows. Stored, and shown by name: never renumber, never rename."""

    SPAN = FIRST_KIND
    """A call's span, or another span that is no root: such a row may leave at once."""
    ROOT = 2
    """The root of a trace that is no call: the Engine evaluates a trace when its root comes."""
    FEEDBACK = 3
    """An annotation (`feedback`)."""
