"""Which traces are sent where only a share of them is to be."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

NOT_SAMPLED: Final = "not sampled"
"""The reason of a call that is left out."""


def is_sampled(trace_id: str, ratio: float) -> bool:
    """Whether calls of a trace are sent. Decided by a digest of the trace id, not by its own bits: those
    decide the tracer's sampling, and the two must not depend on one another."""
    if ratio >= 1.0:
        return True
    digest = blake2b(trace_id.encode(), digest_size=8, person=b"otel-arthur").digest()
    return int.from_bytes(digest, "big") < ratio * 2**64
