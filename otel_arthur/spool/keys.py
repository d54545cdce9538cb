"""Keys of records that wait or were accepted not long ago, so that a repetition is told from news.

The keys of the latest batches lie beside one another, a batch a row. Whoever asks whether keys are known
goes through them, and if they are many folds them first into a table by key, all at once: keys are digests,
so each one alone would touch a page of its own. An application hardly ever asks, as it remembers itself what
it did last (`Latest`), and so hardly ever pays for the table (`docs/spool.md`).

Two such tables take turns: when the current one has grown enough the older one is emptied and becomes the
current. So at least the latest `GENERATION` keys are known, and nothing is deleted one by one. Keys of
batches that still wait are carried over.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Final
from weakref import WeakValueDictionary

from orjson import loads

from otel_arthur.spool.records import pack_keys, unpack_keys

GENERATION: Final = 100_000
RECENT_KEYS: Final = 8_192
RECENT_BATCHES: Final = 64
"""Beside one another at most for whoever asks."""
UNASKED_BATCHES: Final = 1_024
"""Beside one another at most where nobody asks."""
LATEST: Final = 4_096
_KEY_BYTES: Final = 8
_BATCHES_AT_ONCE: Final = 64
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
    """Those of `keys` that are known, with the batch that each came in last. In a transaction."""
    batches, size = _recent(index)
    if batches > RECENT_BATCHES or size > RECENT_KEYS:
        _move(index, _oldest_of(index, RECENT_BATCHES // 2, RECENT_KEYS // 2), _ALL)
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


def add(index: sqlite3.Connection, keys: Collection[int], batch: int) -> None:
    """Remember the keys of a batch."""
    index.execute("INSERT INTO recent_keys VALUES (?, ?)", (batch, pack_keys(list(keys))))
    batches, size = _recent(index)
    if size > 2 * GENERATION:
        # Of the older half only what waits need be known any longer.
        _move(index, _oldest_of(index, UNASKED_BATCHES, GENERATION), _WAITING)
    elif batches > UNASKED_BATCHES:
        _move(index, _oldest_of(index, UNASKED_BATCHES // 2, GENERATION), _ALL)


_ALL: Final = "FROM recent_keys WHERE batch < ?"
_WAITING: Final = f"{_ALL} AND batch IN (SELECT number FROM batches)"


def _recent(index: sqlite3.Connection) -> tuple[int, int]:
    """How many batches and keys lie beside one another."""
    return index.execute(
        f"SELECT count(*), ifnull(sum(length(keys)), 0) / {_KEY_BYTES} FROM recent_keys"
    ).fetchone()


def _oldest_of(index: sqlite3.Connection, batches: int, keys: int) -> int:
    """The oldest of the latest batches: of so many, or of as few as have so many keys."""
    (oldest,) = index.execute(
        "SELECT min(batch) FROM (SELECT batch, row_number() OVER latest AS place, "
        "sum(length(keys)) OVER latest - length(keys) AS before "
        "FROM recent_keys WINDOW latest AS (ORDER BY batch DESC)) WHERE place <= ? AND before < ?",
        (batches, keys * _KEY_BYTES),
    ).fetchone()
    return oldest


def _move(index: sqlite3.Connection, oldest: int, moved: str) -> None:
    """Take the keys of `moved` batches before `oldest` into the current table, or into a new one, and keep
    no others of before."""
    state = dict(index.execute("SELECT name, value FROM state WHERE name LIKE 'generation%'"))
    (added,) = index.execute(
        f"SELECT ifnull(sum(length(keys)), 0) / {_KEY_BYTES} {moved}", (oldest,)
    ).fetchone()
    current, count = state["generation"], state["generation_keys"] + added
    if count > GENERATION:
        current, count = 1 - current, added
        index.execute(f"DELETE FROM keys_{current}")
        # Not counted: else a spool that holds more than a generation would turn each time.
        _put(index, current, "SELECT number AS batch, keys FROM batches", ())
        index.execute("UPDATE state SET value = ? WHERE name = 'generation'", (current,))
    _put(index, current, f"SELECT batch, keys {moved}", (oldest,))
    index.execute("DELETE FROM recent_keys WHERE batch < ?", (oldest,))
    index.execute("UPDATE state SET value = ? WHERE name = 'generation_keys'", (count,))


def _put(index: sqlite3.Connection, table: int, batches: str, arguments: tuple[int, ...]) -> None:
    """Put the keys of the batches of a query into a table.

    With few statements and rows: SQLite takes the interpreter's lock anew after each, for which a busy
    application may keep it waiting 5 ms, while it keeps others from the spool.
    """
    last = 0
    while True:
        (listed,) = index.execute(
            "SELECT json_group_array(json_array(batch, hex(keys))) FROM "
            f"(SELECT batch, keys FROM ({batches}) WHERE batch > ? ORDER BY batch LIMIT {_BATCHES_AT_ONCE})",
            (*arguments, last),
        ).fetchone()
        found = loads(listed)
        if not found:
            return
        latest = {key: batch for batch, packed in found for key in unpack_keys(bytes.fromhex(packed))}
        # In order: each page of the table is then visited once.
        pairs = ",".join([f'"{key}":{batch}' for key, batch in sorted(latest.items())])
        index.execute(
            f"INSERT OR REPLACE INTO keys_{table} SELECT CAST(key AS INTEGER), value FROM json_each(?)",
            (f"{{{pairs}}}",),
        )
        last = found[-1][0]
