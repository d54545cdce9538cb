"""Which traces are sent, where only a share of the traces is sent."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

NOT_SAMPLED: Final = "not sampled"
"""The reason of a call that is left out."""


def is_sampled(trace_id: str, ratio: float) -> bool:
    """Whether calls of a trace are sent. A digest of the trace id decides. The bits of the id decide the
    tracer's sampling, and the two samplings must be independent."""
    if ratio >= 1.0:
        return True
    digest = blake2b(trace_id.encode(), digest_size=8, person=b"otel-arthur").digest()
    return int.from_bytes(digest, "big") < ratio * 2**64
