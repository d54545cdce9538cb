"""Keys of records that wait or were accepted not long ago, so that a repetition is told from news.

Two tables take turns: when the current one has grown enough the older one is emptied and becomes the
current. So between `GENERATION` and twice as many of the latest keys are known, and nothing is deleted
one by one. Keys of batches that still wait are carried over.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection
from typing import Final

from otel_arthur.delivery.records import unpack_keys

GENERATION: Final = 100_000
_AT_ONCE: Final = 500


def known(index: sqlite3.Connection, keys: Collection[int]) -> dict[int, int]:
    """Those of `keys` that are known, with the batch that each came in."""
    found: dict[int, int] = {}
    listed = [str(key) for key in keys]
    for start in range(0, len(listed), _AT_ONCE):
        part = ",".join(listed[start : start + _AT_ONCE])
        for table in ("keys_0", "keys_1"):
            found.update(index.execute(f"SELECT key, batch FROM {table} WHERE key IN ({part})"))
    return found


def add(index: sqlite3.Connection, keys: Collection[int], batch: int) -> None:
    """Remember keys."""
    state = dict(index.execute("SELECT name, value FROM state WHERE name LIKE 'generation%'"))
    current, count = state["generation"], state["generation_keys"] + len(keys)
    if count > GENERATION:
        current = 1 - current
        index.execute(f"DELETE FROM keys_{current}")
        count = len(keys) + _carry_over(index, current)
        index.execute("UPDATE state SET value = ? WHERE name = 'generation'", (current,))
    index.executemany(f"INSERT OR REPLACE INTO keys_{current} VALUES (?, ?)", [(key, batch) for key in keys])
    index.execute("UPDATE state SET value = ? WHERE name = 'generation_keys'", (count,))


def _carry_over(index: sqlite3.Connection, current: int) -> int:
    waiting = [
        (key, batch)
        for batch, packed in index.execute("SELECT number, keys FROM batches")
        for key in unpack_keys(packed)
    ]
    index.executemany(f"INSERT OR REPLACE INTO keys_{current} VALUES (?, ?)", waiting)
    # Counted as none: else a spool that holds more than a generation would turn at every append.
    return 0
