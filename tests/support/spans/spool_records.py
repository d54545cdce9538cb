"""Records for the tests of the spool alone."""

from __future__ import annotations

from otel_arthur.delivery.batches import NewBatch
from otel_arthur.delivery.destination import Destination
from otel_arthur.delivery.leases import Limits, lease
from otel_arthur.delivery.records import Form, Kind, Record, row_id
from otel_arthur.delivery.spool import Spool

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
    batches = lease(spool, NUMBER, Kind.INFERENCE, limits or Limits())
    return [row_id(row) for batch in batches for row in batch.rows]
