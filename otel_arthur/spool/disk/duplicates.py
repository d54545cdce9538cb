"""Which group was sent for a duplicate: for a call told a third time, and for ground truth that comes late.

What one decision finds is one database row in `recent_duplicates`. Ids are random, so each would touch a page
of its own in the table `duplicates`: they go there many at once, in order.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Generator, Mapping
from contextlib import contextmanager
from typing import Final

from orjson import dumps, loads

_RECENT: Final = 16_384
"""More duplicates than this are moved to the table."""
_TABLE: Final = "json_each(?) CROSS JOIN duplicates ON destination = ? AND loser = json_each.value"


class Duplicates:
    """Each method runs inside the caller's transaction, or in a snapshot of the index."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Another index may be in its place."""
        self._seen = 0
        """The latest number of `recent_duplicates` that was read."""
        self._recent: dict[int, dict[str, str]] = {}
        """Destination -> what was read."""

    def add(self, index: sqlite3.Connection, destination: int, losers: Mapping[str, str], at: float) -> None:
        """Remember duplicates: group -> the group that is sent for it."""
        if not losers:
            return
        index.execute(
            "INSERT INTO recent_duplicates (destination, at, count, pairs) VALUES (?, ?, ?, ?)",
            (destination, at, len(losers), dumps(dict(losers)).decode()),
        )
        if index.execute("SELECT sum(count) FROM recent_duplicates").fetchone()[0] > _RECENT:
            index.execute(
                "INSERT OR REPLACE INTO duplicates (destination, loser, winner, at) "
                "SELECT destination, key, json_each.value, at FROM recent_duplicates, json_each(pairs) "
                "ORDER BY destination, key"
            )
            with unwiped(index):
                index.execute("DELETE FROM recent_duplicates")

    def winners(self, index: sqlite3.Connection, destination: int, losers: Collection[str]) -> dict[str, str]:
        """Those of these groups that are duplicates: group -> the group that was sent for it."""
        recent = self._read(index, destination)
        asked = dumps(list(losers)).decode()
        found = index.execute(f"SELECT loser, winner FROM {_TABLE}", (asked, destination)).fetchall()
        return {**dict(found), **{loser: recent[loser] for loser in losers if loser in recent}}

    def losers(
        self, index: sqlite3.Connection, destination: int, winners: Collection[str]
    ) -> list[tuple[str, str]]:
        """The duplicates for which these groups were sent, each with its group."""
        recent = self._read(index, destination)
        return [
            *index.execute(
                "SELECT loser, winner FROM duplicates WHERE destination = ? "
                "AND winner IN (SELECT value FROM json_each(?))",
                (destination, dumps(list(winners)).decode()),
            ),
            *[(loser, winner) for loser, winner in recent.items() if winner in winners],
        ]

    def _read(self, index: sqlite3.Connection, destination: int) -> Mapping[str, str]:
        if sum(map(len, self._recent.values())) > 2 * _RECENT:
            self.forget()
        for number, place, pairs in index.execute(
            "SELECT number, destination, pairs FROM recent_duplicates WHERE number > ? ORDER BY number",
            (self._seen,),
        ):
            self._seen = number
            self._recent.setdefault(place, {}).update(loads(pairs))
        return self._recent.get(destination, {})


@contextmanager
def unwiped(index: sqlite3.Connection) -> Generator[None, None, None]:
    """What is deleted inside holds no text of a call: each page that is wiped is a page of the log."""
    index.execute("PRAGMA secure_delete = FAST")
    try:
        yield
    finally:
        index.execute("PRAGMA secure_delete = ON")
