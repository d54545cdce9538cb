"""Replace parts of a text, in time that grows with its length and in steps that are short.

Python's ``re`` holds the interpreter's lock for a whole ``sub``: over a text of megabytes, every other thread
of the application stands still. So a rule is in two pieces: an anchor of bounded length, which is searched in
one window after the other, and an extent, which finds the ends of one match.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

_WINDOW = 16_384
_MARGIN = 1_024
"""Characters by which windows overlap; no anchor is longer."""
_PARTS = 4_096
"""Parts of a masked text that are joined at once: to join, and to free, a million of them takes long."""


class Extent(NamedTuple):
    """The part of a text that an anchor stands for."""

    start: int
    end: int
    replacement: str | None
    """None leaves the part as it is."""


class Rule(NamedTuple):
    """What is masked.

    Each attempt to match must end within the anchor's length, at most 1,024 characters, and an extent
    without a replacement must reach as far as was read. Then the work is linear.
    """

    anchor: re.Pattern[str]
    extent: Callable[[str, re.Match[str]], Extent]


def mask(text: str, rule: Rule) -> str:
    """The text with each extent of the rule's anchors replaced, from left to right, without overlap."""
    masked: list[str] = []
    kept: list[str] = []
    done = position = 0
    while (anchor := _next(text, rule.anchor, position)) is not None:
        start, end, replacement = rule.extent(text, anchor)
        if replacement is not None and start >= done:
            kept += (text[done:start], replacement)
            done = end
            if len(kept) >= _PARTS:
                masked.append("".join(kept))
                kept.clear()
        position = max(end, anchor.end(), position + 1)
    if not done:
        return text
    return "".join((*masked, *kept, text[done:]))


def end_of_run(text: str, characters: re.Pattern[str], position: int) -> int:
    """Where a run of these characters ends that begins at `position`; `characters` matches any length."""
    while position < len(text):
        end = position + _WINDOW
        run = characters.match(text, position, end)
        if run is None or run.end() < end:
            return position if run is None else run.end()
        position = end
    return len(text)


def find(text: str, anchor: re.Pattern[str], position: int) -> re.Match[str] | None:
    """The first match from `position` on. The anchor is at most 1,024 characters long."""
    return _next(text, anchor, position)


def _next(text: str, anchor: re.Pattern[str], position: int) -> re.Match[str] | None:
    while position < len(text):
        end = position + _WINDOW + _MARGIN
        found = anchor.search(text, position, end)
        # A match that begins in the margin may have been cut, or be there only because of the cut.
        if end >= len(text) or (found is not None and found.start() < position + _WINDOW):
            return found
        position += _WINDOW
    return None
