"""JSON that parsers refuse as a whole for a part of it: the part is mended in its bytes. Pure.

JavaScript writes half of a pair of surrogates where a text is cut inside an emoji, Python's own encoder NaN.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import islice
from typing import Any, Final

import orjson

from otel_arthur.genai.otlp.json.depth import masked, parsable
from otel_arthur.genai.otlp.spoiled import TEXT as NO_TEXT

_HIGH: Final = rb"\\u[dD][89abAB][0-9a-fA-F]{2}"
_LOW: Final = rb"\\u[dD][c-fC-F][0-9a-fA-F]{2}"
_HALF: Final = re.compile(
    rb"\\u[dD](?:[89abAB][0-9a-fA-F]{2}(?!%b)|(?<!%b\\u[dD])[c-fC-F][0-9a-fA-F]{2})" % (_LOW, _HIGH)
)
_MOST: Final = 100_000
"""Halves to mend. A body with more was made to keep us busy, and stays no JSON."""


def loaded(body: bytes, told: Callable[[str], object]) -> Any:
    """What JSON says.

    Half of a pair of surrogates is U+FFFD, as bytes that are no UTF-8 are; NaN and Infinity are texts, as
    OTLP/JSON writes them; null is what is nested too deep for the parser.

    Args:
        told: called with the kind of what was bad, once at most.

    Raises:
        orjson.JSONDecodeError: it is no JSON.
    """
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        pass
    whole = _whole(body)
    mended = parsable(whole)
    try:
        found = orjson.loads(mended)
    except orjson.JSONDecodeError:
        valid = mended.decode("utf-8", "replace").encode()
        if valid == mended:
            raise
        whole, found = valid, orjson.loads(valid)
    if whole != body:
        told(NO_TEXT)
    return found


def _whole(body: bytes) -> bytes:
    """JSON with U+FFFD in place of each half of a pair."""
    if b"\\u" not in body:
        return body
    mended = bytearray(body)
    # One by one: a substitution would hold the interpreter, and a list of all the pieces.
    for half in islice(_HALF.finditer(masked(body)), _MOST):
        mended[half.start() : half.end()] = rb"\ufffd"
    return bytes(mended)
