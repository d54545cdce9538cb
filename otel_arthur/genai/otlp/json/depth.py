"""JSON that no parser follows, nested too deep or with a number that is none, told from its bytes. Pure."""

from __future__ import annotations

import re
from itertools import islice
from typing import Final

_DEEPEST: Final = 500
"""Levels of lists and objects. The parser follows 1,024, and OTLP's own values are left out long before."""
_QUOTE: Final = ord('"')
_MOST: Final = 4_000_000
"""Texts and brackets to look at: a body that is read holds fewer."""
TEXT: Final = re.compile(rb'"[^"]*"?')
"""A text of `masked` JSON; also one without an end, for whoever looks again behind each of its marks."""
_MARK: Final = re.compile(TEXT.pattern + rb"|[\[{\]}]|NaN|-?Infinity")


def masked(body: bytes) -> bytes:
    """As long as `body`, without the quotation marks inside its texts."""
    return body.replace(rb"\\", b"__").replace(rb"\"", b"__")


def parsable(body: bytes) -> bytes:
    """JSON with null in place of what is nested deeper than `_DEEPEST`, and NaN and Infinity as texts."""
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
        elif body[at] != _QUOTE and depth <= _DEEPEST:
            # As OTLP/JSON writes them.
            parts += (body[kept:at], b'"', mark[0], b'"')
            kept = mark.end()
    return b"".join((*parts, body[kept:]))
