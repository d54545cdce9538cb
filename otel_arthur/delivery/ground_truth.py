"""Ground truth on its way: it waits for its inference, and follows it where a duplicate was suppressed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import orjson

from otel_arthur.arthur.encoding import encode
from otel_arthur.spool.records import row_id
from otel_arthur.spool.spool import Spool

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
    targets = spool.preceding(destination, [row_id(row) for row in rows])
    return [
        None if target is None else _redirected(row, target)
        for row, target in zip(rows, targets, strict=True)
    ]


def is_lost(attempts: int, age: float) -> bool:
    """Whether an inference that Arthur does not know will not come any more."""
    return attempts >= PATIENCE_ATTEMPTS and age > PATIENCE_SECONDS


def _redirected(row: bytes, target: str) -> bytes:
    if row_id(row) == target:
        return row
    record: dict[str, Any] = orjson.loads(row)
    return encode({**record, "partner_inference_id": target})
