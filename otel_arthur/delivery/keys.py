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
import threading
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final
from weakref import WeakValueDictionary

from otel_arthur.delivery.records import pack_keys, unpack_keys

GENERATION: Final = 100_000
RECENT_KEYS: Final = 8_192
"""Beside one another at most; whoever asks the tables goes through them all."""
RECENT_LIVE_KEYS: Final = 32_768
"""The same for whoever hardly ever asks (`Latest`). Twice as many folded at once cost half per key."""
RECENT_BATCHES: Final = 64
LATEST: Final = 4_096
_KEY_BYTES: Final = 8
_TABLES: Final = ("keys_0", "keys_1")


class Latest:
    """Keys of calls that this process added last, `LATEST` to twice as many. Used under `lock`.

    A call that ended after all of those that are no longer here was never added, unless it is still here.
    So for what an application has just done the tables need not be asked.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._current: set[int] = set()
        self._before: set[int] = set()
        # The latest end of a call among the current, those before, and those that are here no more.
        self._ends = [0, 0, 0]

    def knows_all_since(self, end_ns: int) -> bool:
        """Whether each call that ended at or after `end_ns`, and that was added, is here."""
        return end_ns > self._ends[2]

    def known(self, keys: Collection[int]) -> set[int]:
        """Those of `keys` that were added not long ago."""
        return self._current.intersection(keys) | self._before.intersection(keys)

    def add(self, keys: Iterable[int], end_ns: int) -> None:
        """Remember keys of calls of which the last ended at `end_ns`."""
        if len(self._current) >= LATEST:
            self._before, self._current = self._current, set()
            current, before, gone = self._ends
            self._ends = [0, current, max(before, gone)]
        self._current.update(keys)
        self._ends[0] = max(self._ends[0], end_ns)

    def clear(self) -> None:
        """The spool begins anew, and so does this."""
        with self.lock:
            self._current, self._before = set(), set()
            self._ends = [0, 0, 0]


_latest: WeakValueDictionary[Path, Latest] = WeakValueDictionary()


def latest_of(folder: Path | None) -> Latest:
    """The keys that this process added last to the spool in a folder, whichever of its exporters did."""
    return Latest() if folder is None else _latest.setdefault(folder.resolve(), Latest())


def known(index: sqlite3.Connection, keys: Collection[int]) -> dict[int, int]:
    """Those of `keys` that are known, with the batch that each came in last."""
    found: dict[int, int] = {}
    listed = f"[{','.join(map(str, keys))}]"
    for table in _TABLES:
        for key, batch in index.execute(
            f"SELECT {table}.key, {table}.batch FROM json_each(?) AS asked "
            f"CROSS JOIN {table} ON {table}.key = asked.value",
            (listed,),
        ):
            found[key] = max(batch, found.get(key, 0))
    asked = set(keys)
    for batch, packed in index.execute("SELECT batch, keys FROM recent_keys"):
        for key in asked.intersection(unpack_keys(packed)):
            found[key] = max(batch, found.get(key, 0))
    return found


def add(index: sqlite3.Connection, keys: Collection[int], batch: int, *, is_live: bool = False) -> None:
    """Remember the keys of a batch; `is_live` as `NewBatch` has it."""
    index.execute("INSERT INTO recent_keys VALUES (?, ?)", (batch, pack_keys(list(keys))))
    batches, size = index.execute("SELECT count(*), sum(length(keys)) FROM recent_keys").fetchone()
    most = RECENT_LIVE_KEYS if is_live else RECENT_KEYS
    if batches > RECENT_BATCHES or size > most * _KEY_BYTES:
        _fold(index, most)


def _fold(index: sqlite3.Connection, most: int) -> None:
    """Take all but the latest half of the latest keys into the current table, or into a new one."""
    state = dict(index.execute("SELECT name, value FROM state WHERE name LIKE 'generation%'"))
    oldest = _oldest_to_keep(index, most)
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


def _oldest_to_keep(index: sqlite3.Connection, most: int) -> int:
    """The batch from which on keys stay beside one another: the newest always does."""
    newest_first = index.execute("SELECT batch, length(keys) FROM recent_keys ORDER BY batch DESC").fetchall()
    oldest, kept = newest_first[0]
    for batch, size in newest_first[1 : RECENT_BATCHES // 2]:
        kept += size
        if kept > most * _KEY_BYTES // 2:
            break
        oldest = batch
    return oldest


def _put(index: sqlite3.Connection, table: int, batches: Iterable[tuple[int, bytes]]) -> None:
    latest = {key: batch for batch, packed in batches for key in unpack_keys(packed)}
    # In order: each page of the table is then visited once. In one statement: SQLite takes the interpreter's
    # lock anew after each, and in a busy application that may be 5 ms for each of thousands of keys.
    listed = ",".join([f'"{key}":{batch}' for key, batch in sorted(latest.items())])
    index.execute(
        f"INSERT OR REPLACE INTO keys_{table} SELECT CAST(key AS INTEGER), value FROM json_each(?)",
        (f"{{{listed}}}",),
    )
