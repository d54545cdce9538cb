"""Keys of records that wait or were accepted not long ago, so that a repetition is told from news.

The keys of the latest batches lie beside one another, a batch a row. From time to time they are folded
into a table by key, all at once: keys are digests, so each one alone would touch a page of its own, and a
batch would write as much for its keys as for its rows (`docs/spool.md`).

Two such tables take turns: when the current one has grown enough the older one is emptied and becomes the
current. So between `GENERATION` and twice as many of the latest keys are known, and nothing is deleted
one by one. Keys of batches that still wait are carried over.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterable
from typing import Final

from otel_arthur.delivery.records import pack_keys, unpack_keys

GENERATION: Final = 100_000
RECENT_KEYS: Final = 8_192
RECENT_BATCHES: Final = 64
LATEST: Final = 4_096
_KEY_BYTES: Final = 8
_TABLES: Final = ("keys_0", "keys_1")


class Latest:
    """Keys that this process added last, `LATEST` to twice as many. Not safe for threads."""

    def __init__(self) -> None:
        self._current: set[int] = set()
        self._before: set[int] = set()

    def known(self, keys: Collection[int]) -> set[int]:
        """Those of `keys` that were added not long ago."""
        return self._current.intersection(keys) | self._before.intersection(keys)

    def add(self, keys: Iterable[int]) -> None:
        """Remember keys."""
        if len(self._current) >= LATEST:
            self._before, self._current = self._current, set()
        self._current.update(keys)

    def forget(self, keys: Iterable[int]) -> None:
        """What was just added was not written after all."""
        self._current.difference_update(keys)


def known(index: sqlite3.Connection, keys: Collection[int]) -> dict[int, int]:
    """Those of `keys` that are known, with the batch that each came in last."""
    found: dict[int, int] = {}
    listed = f"[{','.join(map(str, keys))}]"
    for table in _TABLES:
        found.update(
            index.execute(
                f"SELECT {table}.key, {table}.batch FROM json_each(?) AS asked "
                f"CROSS JOIN {table} ON {table}.key = asked.value",
                (listed,),
            )
        )
    asked = set(keys)
    for batch, packed in index.execute("SELECT batch, keys FROM recent_keys ORDER BY batch"):
        for key in asked.intersection(unpack_keys(packed)):
            found[key] = batch
    return found


def add(index: sqlite3.Connection, keys: Collection[int], batch: int) -> None:
    """Remember the keys of a batch."""
    index.execute("INSERT INTO recent_keys VALUES (?, ?)", (batch, pack_keys(list(keys))))
    batches, size = index.execute("SELECT count(*), sum(length(keys)) FROM recent_keys").fetchone()
    if batches > RECENT_BATCHES or size > RECENT_KEYS * _KEY_BYTES:
        _fold(index)


def _fold(index: sqlite3.Connection) -> None:
    """Take all but the latest half of the latest keys into the current table, or into a new one."""
    state = dict(index.execute("SELECT name, value FROM state WHERE name LIKE 'generation%'"))
    oldest = _oldest_to_keep(index)
    folded = "FROM recent_keys WHERE batch < ? ORDER BY batch"
    (added,) = index.execute(
        f"SELECT ifnull(sum(length(keys)), 0) / {_KEY_BYTES} {folded}", (oldest,)
    ).fetchone()
    current, count = state["generation"], state["generation_keys"] + added
    if count > GENERATION:
        current, count = 1 - current, added
        index.execute(f"DELETE FROM keys_{current}")
        # Not counted: else a spool that holds more than a generation would turn at every fold.
        _put(index, current, index.execute("SELECT number, keys FROM batches ORDER BY number"))
        index.execute("UPDATE state SET value = ? WHERE name = 'generation'", (current,))
    _put(index, current, index.execute(f"SELECT batch, keys {folded}", (oldest,)))
    index.execute("DELETE FROM recent_keys WHERE batch < ?", (oldest,))
    index.execute("UPDATE state SET value = ? WHERE name = 'generation_keys'", (count,))


def _oldest_to_keep(index: sqlite3.Connection) -> int:
    """The batch from which on keys stay beside one another: the newest always does."""
    newest_first = index.execute("SELECT batch, length(keys) FROM recent_keys ORDER BY batch DESC").fetchall()
    oldest, kept = newest_first[0]
    for batch, size in newest_first[1 : RECENT_BATCHES // 2]:
        kept += size
        if kept > RECENT_KEYS * _KEY_BYTES // 2:
            break
        oldest = batch
    return oldest


def _put(index: sqlite3.Connection, table: int, batches: Iterable[tuple[int, bytes]]) -> None:
    latest = {key: batch for batch, packed in batches for key in unpack_keys(packed)}
    # In order: each page of the table is then visited once.
    index.executemany(f"INSERT OR REPLACE INTO keys_{table} VALUES (?, ?)", sorted(latest.items()))
