"""The spool: records that Arthur has not yet accepted, shared by threads, processes and restarts.

Here is what goes in; `leases` is how it comes out. `docs/spool.md` describes format, keys and syncing.
"""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from otel_arthur.delivery import keys
from otel_arthur.delivery.batches import Appended, NewBatch
from otel_arthur.delivery.bodies import Bodies, Body
from otel_arthur.delivery.database import Connection, is_damage, is_full, make_private, set_aside
from otel_arthur.delivery.destination import Destination
from otel_arthur.delivery.fresh import FreshRows
from otel_arthur.delivery.owners import Owner
from otel_arthur.delivery.records import Kind, keys_of, pack_keys
from otel_arthur.delivery.reserve import Reserve

_logger = logging.getLogger("otel_arthur")
_T = TypeVar("_T")

DATABASE_NAME: Final = "spool.db"
NOWHERE: Final = 0
"""The destination under which spans are counted that never had one."""


class Spool:
    """See the module. Safe to use from any thread, and from a forked child after `after_fork_in_child`.

    Args:
        folder: None keeps everything in memory.
        max_bytes: of rows; what does not fit is refused.

    Raises:
        SpoolError, OSError, sqlite3.Error: the folder or its database cannot be used.
    """

    def __init__(self, folder: Path | None, max_bytes: int) -> None:
        self.folder = folder
        self.max_bytes = max_bytes
        self.bodies = Bodies(None if folder is None else folder / "bodies")
        self.fresh = FreshRows()
        self._latest = keys.latest_of(folder)
        self._database = None if folder is None else folder / DATABASE_NAME
        if self._database is None:
            self._incoming = self.index = Connection(None, durable=False)
        else:
            self._incoming = Connection(self._database, durable=True)
            self.index = Connection(self._database, durable=False)
        self._connections = list(dict.fromkeys([self._incoming, self.index]))
        self._locked: list[Connection] = []
        self.owner = Owner(folder)
        self._reserve = Reserve(folder)
        self.repaired(lambda: self.index.read("SELECT count(*) FROM batches"))
        self._reserve.make()

    def append(self, destination: Destination, batch: NewBatch) -> Appended:
        """Add records durably. Those whose key is known already are left out.

        Raises:
            sqlite3.Error, OSError, SpoolError: nothing was added.
        """
        return self.repaired(lambda: self._append(destination, batch))

    def count_skipped(self, counts: Mapping[str, int], patience: float) -> None:
        """Add spans to the spool's counters, by reason, within `patience` seconds; errors as `append`."""
        with self.index.transaction(patience) as index:
            for reason, count in counts.items():
                add(index, NOWHERE, Kind.INFERENCE, "skipped", count, reason)

    def waiting(self, destinations: Iterable[int]) -> int:
        """Rows of these destinations that wait, leased or not."""
        return self.index.read(
            f"SELECT ifnull(sum(rows), 0) FROM batches WHERE destination IN ({listed(destinations)})"
        )[0][0]

    def occupied(self, destinations: Iterable[int], up_to: int | None = None) -> set[int]:
        """Those of these destinations for which anything waits, in batches up to a number."""
        statement = f"SELECT DISTINCT destination FROM batches WHERE destination IN ({listed(destinations)})"
        condition = "" if up_to is None else f" AND number <= {up_to}"
        return {number for (number,) in self.index.read(statement + condition)}

    def last_number(self) -> int:
        """The number of the newest batch there is."""
        return self.index.read("SELECT ifnull(max(number), 0) FROM batches")[0][0]

    def bytes_used(self) -> int:
        """Bytes of the rows that wait and of the dead letters."""
        return self.index.read("SELECT value FROM state WHERE name = 'bytes'")[0][0]

    def replace_rows(
        self, index: sqlite3.Connection, number: int, rows: Sequence[bytes], ready_at: float | None = None
    ) -> str | None:
        """Put fewer rows in a batch's place, leased to nobody; returns the new file, if it has one.

        The file of the rows before is the caller's to remove once the transaction is committed.
        """
        body = self.bodies.write(rows)
        index.execute(
            "UPDATE batches SET owner = NULL, ready_at = ifnull(?, ready_at), rows = ?, bytes = ?, "
            "checksum = ?, body = ?, file = ? WHERE number = ?",
            (ready_at, len(rows), body.size, body.checksum, body.inline, body.file, number),
        )
        return body.file

    def tidy(self, max_age: float | None) -> int:
        """Give up what is older than `max_age` seconds, and delete what dead processes left behind.

        Returns the number of records given up.
        """
        self.owner.sweep()
        self._reserve.make()
        dropped = 0
        files: list[str | None] = []
        if max_age is not None:
            now = time.time()
            with self.index.transaction() as index:
                old = index.execute(
                    "SELECT number, destination, kind, rows, file FROM batches WHERE created < ? "
                    "AND (owner IS NULL OR leased_until < ?)",
                    (now - max_age, now),
                ).fetchall()
                for number, destination, kind, rows, file in old:
                    index.execute("DELETE FROM batches WHERE number = ?", (number,))
                    add(index, destination, kind, "dropped", rows, "older than the age limit")
                    dropped += rows
                    files.append(file)
        self.bodies.remove(files)
        known = self.index.read("SELECT file FROM batches WHERE file IS NOT NULL")
        self.bodies.sweep({name for (name,) in known})
        return dropped

    def close(self) -> None:
        """Close the database. Later use opens it again; what was in memory only is gone."""
        self.owner.close()
        self.fresh.clear()
        for connection in self._connections:
            connection.close()

    def before_fork(self) -> None:
        """Nothing of SQLite may be at work while the process forks."""
        self._locked = [connection for connection in self._connections if connection.before_fork()]

    def after_fork_in_parent(self) -> None:
        """Go on."""
        for connection in reversed(self._locked):
            connection.lock.release()

    def after_fork_in_child(self) -> bool:
        """Leave leases and memory to the parent; False where the spool cannot be used here."""
        for connection in self._connections:
            connection.after_fork_in_child()
        self._latest.lock = threading.RLock()
        self.fresh = FreshRows()
        self.owner = Owner(self.folder)
        return len(self._locked) == len(self._connections)

    def repaired(self, operation: Callable[[], _T]) -> _T:
        """Do it, a second time where the database was damaged and is new now, or gave back room."""
        try:
            return operation()
        except (sqlite3.Error, OSError, UnicodeDecodeError) as error:
            if not self.mend(error) and not (is_full(error) and self.index.shrink_log()):
                raise
            return operation()

    def ensured(self, operation: Callable[[], _T]) -> _T:
        """As `repaired`, and with the reserve where the disk is full: for what makes the spool smaller."""
        try:
            return self.repaired(operation)
        except (sqlite3.OperationalError, OSError) as error:
            if not is_full(error) or not self._reserve.release():
                raise
            return self.repaired(operation)

    def mend(self, error: BaseException) -> bool:
        """Begin with a new database where `error` says that this one is damaged; whether it did."""
        if self._database is None or self.bodies.folder is None or not is_damage(error):
            return False
        with self._incoming.lock, self.index.lock:
            self._incoming.close()
            self.index.close()
            aside = set_aside(self._database, self.bodies.folder)
            _logger.error(
                "otel-arthur: the spool is damaged (%s); it is kept in %s and a new one begins", error, aside
            )
            make_private(self.bodies.folder)
        self.fresh.clear()
        self._latest.clear()
        return True

    def _append(self, destination: Destination, batch: NewBatch) -> Appended:
        rows = [record.row for record in batch.records]
        keyed = dict(zip(keys_of(destination.number, batch.kind, batch.records), rows, strict=True))
        # Before the transaction, as others wait for its end.
        body = self.bodies.write(list(keyed.values()))
        # The latest calls are looked into and added to by one thread at a time, as the index is.
        with self._latest.lock:
            return self._append_keyed(destination, batch, keyed, body)

    def _append_keyed(
        self, destination: Destination, batch: NewBatch, keyed: Mapping[int, bytes], body: Body
    ) -> Appended:
        number = destination.number
        inserted: int | None = None
        try:
            with self._incoming.transaction() as index:
                known = self._known(index, keyed, batch)
                if known:
                    keyed = {key: row for key, row in keyed.items() if key not in known}
                    self.bodies.remove([body.file])
                    body = self.bodies.write(list(keyed.values()))
                used = index.execute("SELECT value FROM state WHERE name = 'bytes'").fetchone()[0]
                full = bool(keyed) and used + body.size > self.max_bytes
                if keyed and not full:
                    inserted = _insert(index, destination, batch, keyed, body)
                    keys.add(index, keyed, inserted)
                    # Before others see the batch: they may take it at once.
                    self.fresh.keep(number, inserted, body.checksum, body.size, list(keyed.values()))
                appended = Appended(
                    0 if full else len(keyed), len(batch.records) - len(keyed), len(keyed) if full else 0
                )
                for outcome, count in zip(("appended", "known", "refused"), appended, strict=True):
                    add(index, number, batch.kind, outcome, count)
                for reason, count in batch.skipped.items():
                    add(index, NOWHERE, Kind.INFERENCE, "skipped", count, reason)
        except BaseException:
            self.bodies.remove([body.file])
            if inserted is not None:
                self.fresh.take(number, inserted, body.checksum)
            raise
        if inserted is None:
            self.bodies.remove([body.file])
        elif batch.ended is not None:
            self._latest.add(keyed, batch.ended[1])
        return appended

    def _known(self, index: sqlite3.Connection, keyed: Collection[int], batch: NewBatch) -> Collection[int]:
        if batch.is_live and batch.ended is not None and self._latest.knows_all_since(batch.ended[0]):
            return self._latest.known(keyed)
        return keys.known(index, keyed)


def add(
    index: sqlite3.Connection, destination: int, kind: int, outcome: str, count: int, reason: str = ""
) -> None:
    """Add to a counter of the spool, inside the transaction of what it counts."""
    if count:
        index.execute(
            "INSERT INTO counters VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET value = value + excluded.value",
            (destination, int(kind), outcome, reason, count),
        )


def listed(numbers: Iterable[int]) -> str:
    """Numbers as a list in SQL."""
    return ",".join(str(int(number)) for number in numbers)


def _insert(
    index: sqlite3.Connection,
    destination: Destination,
    batch: NewBatch,
    keyed: Mapping[int, bytes],
    body: Body,
) -> int:
    now = time.time()
    index.execute(
        "INSERT OR IGNORE INTO destinations (number, endpoint, identity, model) VALUES (?, ?, ?, ?)",
        (destination.number, destination.endpoint, destination.identity, destination.model),
    )
    values: tuple[Any, ...] = (
        destination.number,
        int(batch.kind),
        int(batch.form),
        len(keyed),
        body.size,
        body.checksum,
        now,
        batch.evidence is not None and batch.hold > 0,
        now + batch.hold,
        body.inline,
        body.file,
        pack_keys(list(keyed)),
    )
    number = index.execute(
        "INSERT INTO batches (destination, kind, form, rows, bytes, checksum, created, held, ready_at, "
        "body, file, keys) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        values,
    ).lastrowid
    assert number is not None
    if batch.evidence is not None:
        index.execute(
            "INSERT INTO evidence VALUES (?, ?, ?, ?, ?)", (number, destination.number, now, *batch.evidence)
        )
    return number
