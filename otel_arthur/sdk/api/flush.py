"""`force_flush`: wait until Arthur has what was recorded, ground truth too."""

from __future__ import annotations

import time

from otel_arthur.process.never_raises import never_raises
from otel_arthur.sdk import bridge as bridges
from otel_arthur.sdk.api import ground_truth


def force_flush(timeout_millis: int = 30000) -> bool:
    """Send what was recorded so far, and wait for it, at most `timeout_millis`; whether all of it went.

    Ended spans, those of other exporters too, then ground truth. The tracer provider's own ``force_flush``
    reaches an exporter only when spans wait to be exported: alone, ground truth is not waited for.

    What is left when it returns False lies in the spool and is sent later. Never raises.
    """
    from opentelemetry import trace

    with never_raises("a flush failed"):
        deadline = time.monotonic() + timeout_millis / 1000
        flush = getattr(trace.get_tracer_provider(), "force_flush", None)
        if flush is not None:
            flush(timeout_millis)
        flushed = [
            *[bridge.flush(max(deadline - time.monotonic(), 0.0)) for bridge in bridges.live()],
            ground_truth.flush(max(deadline - time.monotonic(), 0.0)),
        ]
        return all(flushed)
    return False
