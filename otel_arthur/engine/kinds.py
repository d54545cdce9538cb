"""The kinds of the Engine's rows, and the forms of their contents."""

from __future__ import annotations

from enum import IntEnum


class Kind(IntEnum):
    """What a row is. Stored: never renumber."""

    CALL = 1
    """A call's span, or another that is no root: they may leave at once."""
    ROOT = 2
    """The root of a trace that is no call: the Engine evaluates a trace when its root comes."""
    FEEDBACK = 3
    """An annotation (`feedback`)."""


class Form(IntEnum):
    """What becomes of a row's content. Stored: never renumber."""

    FINAL = 1
    OPEN = 2
    """A root without an output of its own: it gets that of the last call that is known when it leaves."""
