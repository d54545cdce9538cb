"""Who sends what, when: batching, retry, pacing, one set of books."""

from __future__ import annotations

from otel_arthur.delivery.books.books import Counts, Submitted
from otel_arthur.delivery.delivery import Delivery

__all__ = ["Counts", "Delivery", "Submitted"]
