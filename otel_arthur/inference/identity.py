"""Who an inference is: a pure function of trace id, span id and choice."""

from __future__ import annotations

import re

_PATTERN = re.compile(r"([0-9a-f]{32})-([0-9a-f]{16})-(\d{1,4})")


def partner_inference_id(trace_id: str, span_id: str, choice: int = 0) -> str:
    """The ``partner_inference_id`` of one choice of the call that a span recorded.

    Ids are lower-case hexadecimal. The same span retried, replayed or seen by two collectors
    gives the same id, so Arthur can tell a repetition.
    """
    return f"{trace_id}-{span_id}-{choice}"


def parse(inference_id: str) -> tuple[str, str, int] | None:
    """Trace id, span id and choice of an id of ours, or None for another's."""
    match = _PATTERN.fullmatch(inference_id)
    return (match[1], match[2], int(match[3])) if match else None
