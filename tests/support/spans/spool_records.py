"""Records for the tests of the spool alone."""

from __future__ import annotations

from otel_arthur.spool.batches import NewBatch
from otel_arthur.spool.destination import Destination
from otel_arthur.spool.leases import Limits
from otel_arthur.spool.records import Form, Kind, Record, row_id
from otel_arthur.spool.spool import Spool

HERE = Destination("https://arthur.test", "org:o", "m")
NUMBER = HERE.number


def records(count: int, size: int = 10, start: int = 0) -> list[Record]:
    return [
        Record(f"id-{n}", b'{"partner_inference_id":"id-%d","text":"%s"}' % (n, b"x" * size))
        for n in range(start, start + count)
    ]


def inferences(count: int, size: int = 10, start: int = 0) -> NewBatch:
    return NewBatch(Kind.INFERENCE, Form.ROW, records(count, size, start))


def leased_ids(spool: Spool, limits: Limits | None = None) -> list[str]:
    batches = spool.lease(NUMBER, Kind.INFERENCE, limits or Limits())
    return [row_id(row) for batch in batches for row in batch.rows]
