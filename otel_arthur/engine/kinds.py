"""The kinds of the Engine's rows, and the forms of their contents."""

from __future__ import annotations

from enum import IntEnum


class Kind(IntEnum):
    """The kinds of the Engine's rows. Stored: never renumber."""

    CALL = 1
    """A call's span, or another span that is no root: such a row may leave at once."""
    ROOT = 2
    """The root of a trace that is no call: the Engine evaluates a trace when its root comes."""
    FEEDBACK = 3
    """An annotation (`feedback`)."""


class Form(IntEnum):
    """The forms of a row's content. Stored: never renumber."""

    FINAL = 1
    OPEN = 2
    """A root without an output: it gets the output of the last call that is known when the root leaves."""
