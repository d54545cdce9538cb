"""Rows for the tests of the spool alone."""

from __future__ import annotations

from otel_arthur.spool.batches import NewBatch
from otel_arthur.spool.destination import Destination
from otel_arthur.spool.queue.leases import Terms
from otel_arthur.spool.rows import Row
from otel_arthur.spool.spool import Spool

HERE = Destination("https://arthur.test", "org:o", "m")
NUMBER = HERE.number
KIND = 1


def rows(count: int, size: int = 10, start: int = 0) -> list[Row]:
    return [Row(f"id-{n}", b"%d\n\0%s" % (n, b"x" * size)) for n in range(start, start + count)]


def batch(count: int, size: int = 10, start: int = 0) -> NewBatch:
    return NewBatch(KIND, rows(count, size, start))


def leased_ids(spool: Spool, terms: Terms | None = None) -> list[str]:
    batches = spool.lease(NUMBER, KIND, terms or Terms())
    return [row.id for leased in batches for row in leased.rows]
