"""JSON that is nested deeper than a parser follows, told from its bytes. Pure."""

from __future__ import annotations

import re
from itertools import islice
from typing import Final

_DEEPEST: Final = 500
"""Levels of lists and objects. The parser follows 1,024, and OTLP's own values are left out long before."""
_MOST: Final = 4_000_000
"""Texts and brackets to look at: a body that is read holds fewer."""
TEXT: Final = re.compile(rb'"[^"]*"?')
"""A text of `masked` JSON; also one without an end, for whoever looks again behind each of its marks."""
_MARK: Final = re.compile(TEXT.pattern + rb"|[\[{\]}]")


def masked(body: bytes) -> bytes:
    """As long as `body`, without the quotation marks inside its texts."""
    return body.replace(rb"\\", b"__").replace(rb"\"", b"__")


def shallow(body: bytes) -> bytes:
    """JSON with null in place of what is nested deeper than `_DEEPEST`."""
    parts: list[bytes] = []
    depth = kept = start = 0
    for mark in islice(_MARK.finditer(masked(body)), _MOST):
        at = mark.start()
        if body[at] in b"[{":
            depth += 1
            if depth == _DEEPEST + 1:
                start = at
        elif body[at] in b"]}":
            if depth == _DEEPEST + 1:
                parts += (body[kept:start], b"null")
                kept = at + 1
            depth -= 1
    return b"".join((*parts, body[kept:]))
