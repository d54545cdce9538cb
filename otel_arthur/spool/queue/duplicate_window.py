"""The duplicate window: records are held until it is decided which of them describe one call.

What was decided not long ago is evidence too. A second description that comes late is the duplicate,
whichever of the two would have won: the first is with Arthur already.
"""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from operator import is_
from typing import Any, NamedTuple, Protocol

from otel_arthur.spool.disk.duplicates import unwiped
from otel_arthur.spool.disk.store import Store, count, listed, replace_rows
from otel_arthur.spool.outcomes import Outcome
from otel_arthur.spool.queue.leases import IS_DUE, due
from otel_arthur.spool.queue.reading import Stored, stored
from otel_arthur.spool.rows import Row, around_of, packed, unframed

MEMORY_SECONDS = 300.0
"""How long the evidence of what was decided is kept, or six windows if that is longer."""

REDIRECT_SECONDS = 7 * 86_400.0
"""How long it is remembered which inference was kept for a duplicate, for ground truth that comes late."""


class Verdict(NamedTuple):
    """A target's decision about the groups that are due."""

    losers: Mapping[str, str]
    """Duplicates among them -> the group that is sent for each."""
    others: Mapping[str, Sequence[tuple[int, str]]]
    """A group that is due and sent -> its duplicates that are not due, each with its batch."""
    waiting: Collection[str]
    """Groups that are sent for a loser, and are not due yet."""


class Judge(Protocol):
    """A target's say about duplicates."""

    def decide(self, hearing: Hearing) -> Verdict:
        """Which of the groups that are due are duplicates, or are sent for one."""
        ...

    def demote(self, row: Row, kept: str) -> Row | None:
        """What goes in the place of a duplicate's row, if anything; `kept` is the group that was kept."""
        ...

    def complete(self, row: Row, duplicates: Sequence[Row]) -> Row:
        """A row that is kept, with what it lacks and its duplicates have."""
        ...


class Hearing:
    """What there is of one destination when a window closes: the evidence of each batch, by its number."""

    def __init__(
        self, store: Store, index: sqlite3.Connection, destination: int, held: Collection[int], due: set[int]
    ) -> None:
        self._store = store
        self._index = index
        self._destination = destination
        self.held = held
        """Batches that nobody has decided about, with those that are due."""
        self.due = due
        """Those to decide about."""
        oldest = index.execute("SELECT min(batch) FROM evidence WHERE destination = ?", (destination,))
        self.since = oldest.fetchone()[0] or 0
        """The oldest that counts."""
        self.kept = store.kept_for_judges.setdefault(destination, {})
        """The judge's memory between two decisions; empty in the beginning, and after each fork."""

    def has_several_labels(self) -> bool:
        """Else there are no duplicates."""
        found = self._index.execute(
            "SELECT DISTINCT scopes FROM evidence WHERE destination = ?", (self._destination,)
        )
        labels = (label for (several,) in found for label in several.split("\n") if label)
        first = next(labels, None)
        # The second ends the search: there may be as many as there are calls.
        is_several = any(label != first for label in labels)
        found.close()
        return is_several

    def ended_after(self, moment_ns: int) -> list[int]:
        """Batches of which something ended after a moment, as far as is known."""
        found = self._index.execute(
            "SELECT batch FROM evidence WHERE destination = ? AND ifnull(ended, ?) >= ?",
            (self._destination, moment_ns, moment_ns),
        )
        return [number for (number,) in found]

    def evidence(self, number: int) -> Any:
        """A batch's evidence: the object, where this process wrote it not long ago, else the bytes."""
        original = self._store.originals.pop(number, None)
        if original is not None:
            return original
        found = self._index.execute("SELECT body FROM evidence WHERE batch = ?", (number,)).fetchone()
        return b"[]" if found is None else found[0]

    def winners(self, losers: Collection[str]) -> dict[str, str]:
        """Those of these groups that were found to be duplicates: group -> the group that was sent for it."""
        return self._store.duplicates.winners(self._index, self._destination, losers)

    def lost_rows(self, group: str) -> Sequence[Row]:
        """The rows of a duplicate that left before the group that is sent for it; they are forgotten now."""
        key = (self._destination, group)
        kept = "FROM duplicates WHERE destination = ? AND loser = ? AND body IS NOT NULL"
        found = self._index.execute(f"SELECT body {kept}", key).fetchone()
        self._index.execute("UPDATE duplicates SET body = NULL WHERE destination = ? AND loser = ?", key)
        return [] if found is None else unframed(found[0])


def close_window(
    store: Store,
    destination: int,
    window: float,
    judge: Judge,
    *,
    at_once: bool = False,
) -> int:
    """Decide about the rows that are due and release them; returns how many rows were removed.

    Args:
        window: seconds; it says how long evidence is remembered.
        at_once: all that is held is due: somebody flushes.

    Raises:
        sqlite3.Error, OSError: nothing is decided.
    """
    if not any(_held(store.index.read, destination, store.clock.time(), at_once).values()):
        return 0
    removed_files: list[str | None] = []
    with store.index.transaction() as index:
        # Looked at again with the write lock: another process may have decided about them. By the time of
        # before, what came while we waited for the lock would look as if a clock was set back since.
        now = store.clock.time()
        held = _held(index.execute, destination, now, at_once)
        due_now = {number for number, is_due in held.items() if is_due}
        _forget(index, destination, now - max(MEMORY_SECONDS, 6 * window))
        hearing = Hearing(store, index, destination, held, due_now)
        removed = Counter[int]()
        if hearing.has_several_labels():
            verdict = judge.decide(hearing)
            closing = _Closing(store, index, hearing, judge, verdict)
            removed = closing.remove(removed_files)
            of_later = closing.later
            now_known = {one: winner for one, winner in verdict.losers.items() if one not in of_later}
            store.duplicates.add(index, destination, now_known, now)
            index.executemany(
                "INSERT OR REPLACE INTO duplicates (destination, loser, winner, at, body) "
                "VALUES (?, ?, ?, ?, ?)",
                [
                    (destination, loser, verdict.losers[loser], now, b"".join(packed(rows).framed()))
                    for loser, rows in of_later.items()
                ],
            )
        for kind, number in removed.items():
            count(index, destination, kind, Outcome.DUPLICATE, number)
        index.execute(
            "UPDATE batches SET held = 0, ready_at = ifnull(set_at, 0) "
            f"WHERE destination = ? AND held <> 0 AND (? OR {IS_DUE})",
            (destination, at_once, *due(now)),
        )
    store.bodies.remove(removed_files)
    return sum(removed.values())


def forget_duplicates(store: Store) -> None:
    """Forget which duplicates were found long ago."""
    before = store.clock.time() - REDIRECT_SECONDS
    with store.index.transaction() as index:
        index.execute("DELETE FROM duplicates WHERE at < ?", (before,))
        index.execute("DELETE FROM recent_duplicates WHERE at < ?", (before,))


def _held(
    query: Callable[[str, tuple[Any, ...]], Iterable[Any]], destination: int, now: float, at_once: bool
) -> dict[int, bool]:
    """The batches that are held, and whether each is due."""
    found = query(
        f"SELECT number, {IS_DUE} FROM batches WHERE destination = ? AND held <> 0 ORDER BY number",
        (*due(now), destination),
    )
    return {number: bool(at_once or is_due) for number, is_due in found}


def _forget(index: sqlite3.Connection, destination: int, before: float) -> None:
    with unwiped(index):
        index.execute(
            "DELETE FROM evidence WHERE destination = ? AND at < ? "
            "AND batch NOT IN (SELECT number FROM batches WHERE destination = ? AND held <> 0)",
            (destination, before, destination),
        )


@dataclass(slots=True)
class _Closing:
    """The rows that leave, or change, as a window closes."""

    store: Store
    index: sqlite3.Connection
    hearing: Hearing
    judge: Judge
    verdict: Verdict
    lost: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    """Id of a row that is sent -> the rows that it is sent for."""
    later: dict[str, list[Row]] = field(default_factory=lambda: defaultdict(list))
    """Group -> its rows, where the row that is sent for them is not due yet."""

    def remove(self, removed_files: list[str | None]) -> Counter[int]:
        """Remove the rows of duplicates, of which kept rows take what they lack; how many of each kind."""
        removed: Counter[int] = Counter()
        if not self.verdict.losers and not any(self.verdict.others.values()):
            return removed
        batches = list(stored(self.index, f"number IN ({listed(self.hearing.due)})"))
        rows = [_rows(self.store, batch) for batch in batches]
        winners = [[self.verdict.losers.get(row.id[: row.stem]) for row in before] for before in rows]
        for before, winners_of in zip(rows, winners, strict=True):
            for row, winner in zip(before, winners_of, strict=True):
                if winner is not None:
                    self.lost[winner + row.id[row.stem :]].append(row)
                    if winner in self.verdict.waiting:
                        self.later[row.group].append(row)
        self._look_elsewhere()
        for batch, before, winners_of in zip(batches, rows, winners, strict=True):
            after = list(map(self._kept, before, winners_of))
            if all(map(is_, after, before)):
                continue
            kept = [row for row in after if row is not None]
            removed[batch.kind] += len(before) - len(kept)
            is_first = batch.body.remaining is None
            if kept and is_first and all(map(is_, kept, compress(before, map(bool, after)))):
                # Nothing is written anew: the others are passed over when they are read.
                self.index.execute(
                    "UPDATE batches SET rows = ?, remaining = ? WHERE number = ?",
                    (len(kept), bytes(map(bool, after)), batch.number),
                )
                continue
            removed_files.append(batch.body.file)
            if kept:
                replace_rows(self.store, self.index, batch.number, packed(kept, around_of(before)))
            else:
                self.index.execute("DELETE FROM batches WHERE number = ?", (batch.number,))
        return removed

    def _look_elsewhere(self) -> None:
        """Duplicates that are not due, or have left before."""
        held: dict[int, Sequence[Row]] = {}
        for winner, others in self.verdict.others.items():
            for number, group in others:
                if number not in self.hearing.held:
                    rows = self.hearing.lost_rows(group)
                else:
                    if number not in held:
                        (batch,) = stored(self.index, "number = ?", (number,))
                        held[number] = _rows(self.store, batch)
                    rows = [row for row in held[number] if row.group == group]
                for row in rows:
                    self.lost[winner + row.id[row.stem :]].append(row)

    def _kept(self, row: Row, winner: str | None) -> Row | None:
        if winner is not None:
            return self.judge.demote(row, winner)
        duplicates = self.lost.get(row.id)
        return row if duplicates is None else self.judge.complete(row, duplicates)


def _rows(store: Store, batch: Stored) -> Sequence[Row]:
    """The rows of a batch; none of one that is damaged, which is counted when it is leased."""
    try:
        rows = store.bodies.rows(batch.body, batch.kind, is_last=False)
    except OSError:
        return []  # It waits until it can be read, and is then sent without being compared.
    return rows if rows is not None and len(rows) == batch.rows else []
