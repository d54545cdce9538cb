"""Keys of rows that wait or were accepted not long ago, so that a repetition is told from news.

Two places hold them:

- `recent_keys` has the keys of the latest batches, one database row a batch. Adding is cheap there.
- `keys_0` and `keys_1` have one database row a key. Looking up is cheap there, adding is not: keys are
  digests, so each one touches a page of its own. So keys are moved there many at once.

A live application never looks up, as `Latest` in memory answers for it, and so hardly ever moves keys.

The two tables take turns. When the current one has grown by a generation, the older one is emptied and
becomes the current. So at least the keys of the latest generation are known, and nothing is deleted one by
one. The keys of batches that still wait are carried over.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from weakref import WeakValueDictionary

from orjson import loads

from otel_arthur.spool.rows import pack_keys, unpack_keys

_KEY_BYTES: Final = 8
_LOOKS: Final = 32
"""So often it is looked whether there are too many, until there are."""
_TABLES: Final = ("keys_0", "keys_1")
_ALL: Final = "FROM recent_keys WHERE batch < ?"
_WAITING: Final = f"{_ALL} AND batch IN (SELECT number FROM batches)"


@dataclass(frozen=True, slots=True)
class KeyLimits:
    """How many keys are remembered, and where."""

    generation: int = 100_000
    """At least so many of the latest keys are known."""
    recent_keys: int = 8_192
    """More keys than this are moved to the tables before a look-up."""
    recent_batches: int = 64
    """The same in batches."""
    unasked_batches: int = 1_024
    """More batches than this are moved where nobody looks up."""
    batches_at_once: int = 64
    """Moved by one statement."""
    latest: int = 4_096
    """Keys of live calls that a process remembers itself, up to twice as many."""


class KeyIndex:
    """The keys on disk. Each method runs inside the caller's transaction."""

    def __init__(self, limits: KeyLimits) -> None:
        self._limits = limits

    def known(self, index: sqlite3.Connection, keys: Collection[int]) -> dict[int, int]:
        """Those of `keys` that are known, with the batch that each came in last."""
        limits = self._limits
        batches, size = _recent(index)
        if batches > limits.recent_batches or size > limits.recent_keys:
            self._move(index, _oldest_of(index, limits.recent_batches // 2, limits.recent_keys // 2), _ALL)
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

    def add(self, index: sqlite3.Connection, keys: Sequence[int], batch: int) -> None:
        """Remember the keys of a batch."""
        limits = self._limits
        index.execute("INSERT INTO recent_keys VALUES (?, ?)", (batch, pack_keys(keys)))
        if batch % max(limits.unasked_batches // _LOOKS, 1):
            return  # To count them all each time would cost more than a few too many.
        batches, size = _recent(index)
        if size > 2 * limits.generation:
            # Of the older half only what waits need be known any longer.
            self._move(index, _oldest_of(index, limits.unasked_batches, limits.generation), _WAITING)
        elif batches > limits.unasked_batches:
            self._move(index, _oldest_of(index, limits.unasked_batches // 2, limits.generation), _ALL)

    def _move(self, index: sqlite3.Connection, oldest: int, moved: str) -> None:
        """Take the keys of `moved` batches before `oldest` into the current table, or into a new one.

        Other keys of before are forgotten.
        """
        state = dict(index.execute("SELECT name, value FROM state WHERE name LIKE 'generation%'"))
        (added,) = index.execute(
            f"SELECT ifnull(sum(length(keys)), 0) / {_KEY_BYTES} {moved}", (oldest,)
        ).fetchone()
        current, count = state["generation"], state["generation_keys"] + added
        if count > self._limits.generation:
            current, count = 1 - current, added
            index.execute(f"DELETE FROM keys_{current}")
            # Not counted: else a spool that holds more than a generation would turn each time.
            self._put(index, current, "SELECT number AS batch, keys FROM batches", ())
            index.execute("UPDATE state SET value = ? WHERE name = 'generation'", (current,))
        self._put(index, current, f"SELECT batch, keys {moved}", (oldest,))
        index.execute("DELETE FROM recent_keys WHERE batch < ?", (oldest,))
        index.execute("UPDATE state SET value = ? WHERE name = 'generation_keys'", (count,))

    def _put(self, index: sqlite3.Connection, table: int, batches: str, arguments: tuple[int, ...]) -> None:
        """Put the keys of the batches of a query into a table.

        With few statements and rows: SQLite takes the interpreter's lock anew after each, for which a busy
        application may keep it waiting 5 ms, while it keeps others from the spool.
        """
        last = 0
        while True:
            (listed,) = index.execute(
                "SELECT json_group_array(json_array(batch, hex(keys))) FROM "
                f"(SELECT batch, keys FROM ({batches}) WHERE batch > ? ORDER BY batch LIMIT ?)",
                (*arguments, last, self._limits.batches_at_once),
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


def _recent(index: sqlite3.Connection) -> tuple[int, int]:
    """How many batches and keys lie beside one another."""
    return index.execute(
        f"SELECT count(*), ifnull(sum(length(keys)), 0) / {_KEY_BYTES} FROM recent_keys"
    ).fetchone()


def _oldest_of(index: sqlite3.Connection, batches: int, keys: int) -> int:
    """The oldest batch to keep: at most `batches` of the latest, and about `keys` keys."""
    (oldest,) = index.execute(
        "SELECT min(batch) FROM (SELECT batch, row_number() OVER latest AS place, "
        "sum(length(keys)) OVER latest - length(keys) AS before "
        "FROM recent_keys WINDOW latest AS (ORDER BY batch DESC)) WHERE place <= ? AND before < ?",
        (batches, keys * _KEY_BYTES),
    ).fetchone()
    return oldest


class Latest:
    """Keys of calls that this process added last, `limit` to twice as many. Used under `lock`.

    A call that ended after all of those that are no longer here was never added, unless it is still here.
    So for what an application has just done the tables need not be asked.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
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
        if len(self._current) >= self._limit:
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


def latest_of(folder: Path | None, limit: int) -> Latest:
    """The keys that this process added last to the spool in a folder, whichever of its exporters did."""
    return Latest(limit) if folder is None else _latest.setdefault(folder.resolve(), Latest(limit))
