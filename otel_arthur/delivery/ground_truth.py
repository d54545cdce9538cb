"""Ground truth on its way: it waits for its inference, and follows it where a duplicate was suppressed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import orjson

from otel_arthur.arthur.encoding import encode
from otel_arthur.delivery import keys
from otel_arthur.delivery.records import Kind, Record, key_of, row_id
from otel_arthur.delivery.settlement import winner_of
from otel_arthur.delivery.spool import Spool

NOT_FOUND: Final = 404
PATIENCE_SECONDS: Final = 900.0
PATIENCE_ATTEMPTS: Final = 20
"""Arthur must have said this often, and for so long, that it does not know the inference."""
POLL_SECONDS: Final = 2.0


def ready(spool: Spool, destination: int, rows: Sequence[bytes]) -> list[bytes | None]:
    """Each row as it can be sent now, None where its inference is still in the spool.

    Raises:
        sqlite3.Error: the spool cannot be read.
    """
    with spool.index.transaction() as index:
        targets = [winner_of(index, destination, row_id(row)) for row in rows]
        digests = [key_of(destination, Kind.INFERENCE, Record(target, b"")) for target in targets]
        known = keys.known(index, set(digests))
        waiting = {
            number
            for number in set(known.values())
            if index.execute("SELECT 1 FROM batches WHERE number = ?", (number,)).fetchone()
        }
    return [
        None if known.get(digest) in waiting else _redirected(row, target)
        for row, target, digest in zip(rows, targets, digests, strict=True)
    ]


def is_lost(attempts: int, age: float) -> bool:
    """Whether an inference that Arthur does not know will not come any more."""
    return attempts >= PATIENCE_ATTEMPTS and age > PATIENCE_SECONDS


def destination_of(spool: Spool, destinations: Sequence[int], inference_id: str) -> int | None:
    """The destination whose spool has or had the inference, as far as is remembered."""
    with spool.index.transaction() as index:
        for destination in destinations:
            target = winner_of(index, destination, inference_id)
            if keys.known(index, {key_of(destination, Kind.INFERENCE, Record(target, b""))}):
                return destination
    return None


def _redirected(row: bytes, target: str) -> bytes:
    if row_id(row) == target:
        return row
    record: dict[str, Any] = orjson.loads(row)
    return encode({**record, "partner_inference_id": target})
