"""From calls to accepted inferences: spool, batches, retries, dead letters, counters."""

from __future__ import annotations

from otel_arthur.delivery.counters import Counts
from otel_arthur.delivery.delivery import Delivery, Submitted

__all__ = ["Counts", "Delivery", "Submitted"]
