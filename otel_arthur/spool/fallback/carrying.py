"""Moves rows that wait from one spool to another: from memory to a disk that works again, or out of a
folder that is no longer used as it is."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Generator, Sequence
from typing import Final

from otel_arthur.spool.batches import BatchEvidence, BatchOutcome, NewBatch
from otel_arthur.spool.destination import Destination
from otel_arthur.spool.disk.store import Store, count
from otel_arthur.spool.errors import FAULTS
from otel_arthur.spool.folder import Place
from otel_arthur.spool.outcomes import APPENDED, Outcome
from otel_arthur.spool.queue import appending, leases
from otel_arthur.spool.queue.reading import Stored, give_back, rows_of, stored
from otel_arthur.spool.rows import keys_of, names_of, pack_keys
from otel_arthur.spool.spool import Spool
from otel_arthur.spool.upkeep.dead_letters import letters

_LEASE_SECONDS: Final = 60.0


class Crossing:
    """Between its two spools a batch is in both: looks at the two together wait until it is in one."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._began: float | None = None

    @contextlib.contextmanager
    def move(self) -> Generator[None, None, None]:
        """One batch moves."""
        with self._lock:
            self._began = time.monotonic()
            try:
                yield
            finally:
                self._began = None

    @contextlib.contextmanager
    def look(self, seconds: float) -> Generator[None, None, None]:
        """No batch moves; but one that has moved for longer than `seconds` hangs with its disk."""
        now = time.monotonic()
        is_settled = self._lock.acquire(timeout=max((self._began or now) + seconds - now, 0.0))
        try:
            yield
        finally:
            if is_settled:
                self._lock.release()


def rows(memory: Spool) -> int:
    """Rows that wait in memory."""
    return memory.store.index.read("SELECT ifnull(sum(rows), 0) FROM batches")[0][0]


def forget(spool: Spool, destination: Destination, batch: NewBatch) -> bool:
    """Undo the append of a batch; False where the batch is being sent, or was sent."""
    keys = dict.fromkeys(keys_of(destination.number, batch.kind, batch.rows))
    packed = pack_keys([*keys, *names_of(destination.number, batch.kind, batch.rows)])
    store = spool.store
    with store.index.transaction() as index:
        found = index.execute(
            "SELECT number, rows, file FROM batches WHERE keys = ? AND owner IS NULL AND sent_at IS NULL",
            (packed,),
        ).fetchone()
        if found is None:
            return False
        number, rows_there, file = found
        index.execute("DELETE FROM batches WHERE number = ?", (number,))
        count(index, destination.number, batch.kind, APPENDED, -rows_there)
    store.bodies.remove([file])
    return True


def forget_one(memory: Spool, disk: Sequence[Spool], destination: Destination, batch: NewBatch) -> None:
    """The disk has a batch after all that memory was given, and perhaps has sent: one of them is enough."""
    for spool in (memory, *disk):
        with contextlib.suppress(*FAULTS):
            if forget(spool, destination, batch):
                return


def carry(source: Spool, target: Spool, crossing: Crossing) -> int:
    """Move the rows that nobody is sending, and the dead letters, from `source` to `target`.

    Returns how many rows wait in `source` still.

    Raises:
        sqlite3.Error, OSError, SpoolError: `target` took no more. The rows that it took are gone from
        `source`.
    """
    _carry_letters(source.store, target.store)
    last = 0
    while (waiting := _claim(source.store, last)) is not None:
        last = waiting.number
        with crossing.move():
            is_taken = _carried(source.store, target.store, waiting)
        if not is_taken:
            break
    return rows(source)


def empty(place: Place, spool: Spool) -> None:
    """Take over what waits in the configured folder itself, where the spool lay before; as `carry`."""
    if place.outer is None:
        return
    outer = Spool(place.outer, spool.max_bytes)
    try:
        carry(outer, spool, Crossing())
    finally:
        outer.close()


def _claim(store: Store, after: int) -> Stored | None:
    """The next batch that nobody sends, now leased to us, whether it is held or not."""
    with store.index.transaction() as index:
        # With the lock: a lease that somebody took since an earlier look would not be believed.
        now = store.clock.time()
        candidates = stored(index, "number > ?", (after,))
        claimed = next(
            (b for b in candidates if not leases.is_leased(store, b.owner, b.leased_until, b.set_at, now)),
            None,
        )
        candidates.close()
        if claimed is not None:
            claimed = claimed._replace(owner=store.owner.name)
            index.execute(
                "UPDATE batches SET owner = ?, leased_until = ? WHERE number = ?",
                (claimed.owner, now + _LEASE_SECONDS, claimed.number),
            )
    return claimed


def _carried(source: Store, target: Store, waiting: Stored) -> bool:
    """Move one batch; False where there is no more room."""
    is_settled = False
    try:
        found = rows_of(source, waiting)
        if found is None:
            is_settled = True
            return True
        index = source.index
        (key,) = index.read(
            "SELECT endpoint, identity, model, target FROM destinations WHERE number = ?",
            (waiting.destination,),
        )
        evidence = index.read("SELECT scopes, body FROM evidence WHERE batch = ?", (waiting.number,))
        batch = NewBatch(
            waiting.kind,
            found,
            waiting.form,
            evidence=BatchEvidence(*evidence[0]) if waiting.held and evidence else None,
            hold=0.0 if waiting.set_at is None else max(waiting.ready_at - waiting.set_at, 0.0),
            patience=None if waiting.free_at is None else waiting.free_at - waiting.created,
            sent_at=waiting.sent_at,
        )
        is_taken = not appending.append(target, Destination(*key), batch).refused
        if is_taken:
            leases.finish(source, [BatchOutcome(waiting.leased(found), moved=len(found))])
            is_settled = True
        return is_taken
    finally:
        if not is_settled:
            give_back(source, [waiting])


def _carry_letters(source: Store, target: Store) -> None:
    for letter in letters(source):
        place, kind = letter.destination.number, letter.kind
        with target.incoming.transaction() as index:
            # A kill between the two leaves it in both.
            known = index.execute(
                "SELECT 1 FROM dead_letters WHERE destination = ? AND kind = ? AND id = ? AND at = ?",
                (place, kind, letter.id, letter.at),
            ).fetchone()
            if known is None:
                appending.add_destination(index, letter.destination)
                leases.add_letter(index, place, kind, letter.form, letter.at, letter.reason, letter.row)
                count(index, place, kind, APPENDED, 1)
                count(index, place, kind, Outcome.DEAD_LETTER, 1)
        with source.index.transaction() as index:
            if index.execute("DELETE FROM dead_letters WHERE number = ?", (letter.number,)).rowcount:
                count(index, place, kind, Outcome.DEAD_LETTER, -1)
                count(index, place, kind, Outcome.MOVED, 1)
