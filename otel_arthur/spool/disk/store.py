"""What every part of the spool works on: the index, the bodies, the owner of leases, and their repair."""

from __future__ import annotations

import contextlib
import logging
import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

from otel_arthur.notices import Notices
from otel_arthur.spool.clock import Clock
from otel_arthur.spool.disk.bodies import Bodies
from otel_arthur.spool.disk.duplicates import Duplicates
from otel_arthur.spool.disk.index.causes import is_damage, is_full
from otel_arthur.spool.disk.index.database import Connection
from otel_arthur.spool.disk.index.files import set_aside
from otel_arthur.spool.disk.keys import KeyIndex, KeyLimits, latest_of
from otel_arthur.spool.disk.losses import DAMAGED, GONE, Losses, Lost, uncounted_rest
from otel_arthur.spool.disk.owners import Owner
from otel_arthur.spool.disk.reserve import Reserve
from otel_arthur.spool.disk.room import Room
from otel_arthur.spool.errors import ForeignDatabase, SpoolError
from otel_arthur.spool.folder import DATABASE_NAME, make_own
from otel_arthur.spool.rows import Row

_logger = logging.getLogger("otel_arthur")
_T = TypeVar("_T")

_ORIGINALS: Final = 32
"""How many batches keep their evidence as an object in memory."""
NOWHERE: Final = 0
"""The destination under which spans without a destination are counted."""


class Store:
    """Two connections to one database, and the files beside it. `folder` None: all of it in memory.

    Raises:
        SpoolError, OSError, sqlite3.Error: the folder or its database cannot be used.
    """

    def __init__(
        self,
        folder: Path | None,
        max_bytes: int,
        key_limits: KeyLimits | None = None,
        clock: Clock | None = None,
    ) -> None:
        self.folder = folder
        self.clock = clock or Clock()
        self.room = Room(max_bytes)
        self.bodies = Bodies(None if folder is None else folder / "bodies")
        key_limits = key_limits or KeyLimits()
        self.latest = latest_of(folder, key_limits.latest)
        self.keys = KeyIndex(key_limits)
        self.losses = Losses()
        self._database = None if folder is None else folder / DATABASE_NAME
        begins = self._keep_bodies
        self.index = Connection(self._database, durable=False, left=self._leave_index, begins=begins)
        self.incoming = (
            self.index
            if self._database is None
            else Connection(self._database, durable=True, left=self._leave, begins=begins)
        )
        self._connections = list(dict.fromkeys([self.incoming, self.index]))
        self._mended = 0
        self._locked: list[Connection] = []
        self.owner = Owner(folder)
        self.reserve = Reserve(folder)
        self.notices = Notices()
        self.unreadable: dict[int, str] = {}
        """Number of a batch -> why the last look could not read it."""
        self._gone: dict[int, float] = {}
        self._left_owners: set[str] = set()
        self._why_left = GONE
        self.kept_for_judges: dict[int, dict[str, Any]] = {}
        """What the judges of duplicates remember, by destination."""
        self.duplicates = Duplicates()
        self.originals: dict[int, Any] = {}
        """Number of a batch -> the object that its evidence was written from, for the latest batches."""

    def check(self) -> None:
        """Raise SpoolError where a folder beside the database is a link, or another user's."""
        if self.folder is not None:
            for name in ("bodies", "owners"):
                with contextlib.suppress(OSError):
                    make_own(self.folder / name)

    def close(self) -> None:
        """Close the files. Later use opens them again; what was in memory only is gone."""
        self.owner.close()
        self.bodies.forget()
        for connection in self._connections:
            connection.close()

    def lost(self) -> Lost:
        """Rows that are gone from the disk since the last call. Looks first whether the database is there."""
        for connection in self._connections:
            with contextlib.suppress(OSError):
                if connection.is_outdated:
                    connection.close()
        return self.losses.take()

    def gone_for(self, number: int) -> float:
        """Seconds since this process first missed the file of a batch."""
        now = time.monotonic()
        return now - self._gone.setdefault(number, now)

    def has_left(self, owner: str | None) -> bool:
        """Whether the rows leased under this name lay in an index that is gone."""
        return owner in self._left_owners

    def _leave_index(self, raw: sqlite3.Connection | None) -> None:
        # Numbers of batches begin anew: no earlier lease may be taken for a later one.
        if (name := self.owner.close()) is not None:
            self._left_owners.add(name)
        self._leave(raw)

    def _leave(self, raw: sqlite3.Connection | None) -> None:
        self.bodies.forget()
        self.latest.clear()
        self._forget_evidence()
        self._gone.clear()
        self.unreadable.clear()
        try:
            rows = None if raw is None else uncounted_rest(raw, self.clock.time())
        except (sqlite3.Error, UnicodeDecodeError):
            rows = None
        if rows is None:
            self.losses.add_index(self._why_left)
        else:
            self.losses.add(self._why_left, rows)

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
        self.latest.lock = threading.RLock()
        self.bodies = Bodies(self.bodies.folder)
        self._forget_evidence()
        self.owner = Owner(self.folder)
        self.losses, self._left_owners = Losses(), set()
        return len(self._locked) == len(self._connections)

    def repaired(self, operation: Callable[[], _T]) -> _T:
        """Run `operation`, and again where a damaged database was replaced or room was made."""
        mended = self._mended
        try:
            return operation()
        except (sqlite3.Error, OSError, UnicodeDecodeError, ForeignDatabase) as error:
            if not self.mend(error, mended) and not (is_full(error) and self.index.shrink_log()):
                raise
            return operation()

    def ensured(self, operation: Callable[[], _T]) -> _T:
        """As `repaired`; a full disk gets the reserve's room. For operations that make the spool smaller."""
        try:
            return self.repaired(operation)
        except (sqlite3.OperationalError, OSError) as error:
            if not (is_full(error) or self.reserve.is_needed()) or not self.reserve.release():
                raise
            return self.repaired(operation)

    def mend(self, error: BaseException, mended: int) -> bool:
        """Begin with a new database where `error` says that this one is damaged; whether there is a new one.

        Args:
            mended: how often the database had been replaced when the failed operation began: a fault of the
                old database must not set the new one aside.
        """
        database, bodies = self._database, self.bodies.folder
        if database is None or bodies is None:
            return False
        # Another application's database is damage where bodies beside it say that ours was there.
        if not is_damage(error) and not (isinstance(error, ForeignDatabase) and self.bodies.count()):
            return False
        with self.incoming.lock, self.index.lock:
            if (
                self._mended != mended
                or any(one.is_outdated for one in self._connections)
                or self._can_be_opened()
            ):
                return True
            self._mended += 1
            self._why_left = DAMAGED
            for connection in self._connections:
                connection.close(for_good=True)
            self._why_left = GONE
            ends = ("", "-wal", "-shm")
            aside = set_aside(*(database.with_name(database.name + end) for end in ends), bodies)
            _logger.error(
                "otel-arthur: the spool is damaged (%s); it is kept in %s and a new one begins", error, aside
            )
            make_own(bodies)
        return True

    def _can_be_opened(self) -> bool:
        """Whether a database that could not be opened can be: another process has mended it."""
        if any(one.is_open for one in self._connections):
            return False
        try:
            self.index.make_ready()
        except (sqlite3.Error, OSError, UnicodeDecodeError, SpoolError):
            return False
        return True

    def _keep_bodies(self) -> None:
        """Before an empty index becomes a spool: bodies that are there already are of one that is gone."""
        folder = self.bodies.folder
        if folder is None or not folder.is_dir():
            return
        if count := self.bodies.count():
            _logger.error(
                "otel-arthur: the spool's index was empty or missing; %d files of calls that waited are "
                "kept in %s and a new spool begins",
                count,
                set_aside(folder),
            )
            make_own(folder)
        else:
            _logger.warning(
                "otel-arthur: the spool's index in %s was empty or missing; a new spool begins", folder.parent
            )

    def keep_original(self, number: int, original: Any) -> None:
        """Keep the evidence of a batch until a judge asks for it, if that is soon."""
        self.originals[number] = original
        if len(self.originals) > _ORIGINALS:
            self.originals.pop(next(iter(self.originals)), None)

    def _forget_evidence(self) -> None:
        self.kept_for_judges = {}
        self.originals = {}
        self.duplicates.forget()


def replace_rows(store: Store, index: sqlite3.Connection, number: int, rows: Sequence[Row]) -> str | None:
    """Put other rows in a batch's place; returns the new file, if it has one.

    The file of the rows before is the caller's to remove once the transaction is committed.
    """
    body = store.bodies.write(rows, is_outcome=True)
    index.execute(
        "UPDATE batches SET rows = ?, bytes = ?, checksum = ?, body = ?, file = ?, framing = ?, "
        "remaining = NULL WHERE number = ?",
        (len(rows), body.size, body.checksum, body.inline, body.file, body.framing, number),
    )
    return body.file


def count(
    index: sqlite3.Connection, destination: int, kind: int, outcome: str, number: int, reason: str = ""
) -> None:
    """Add to a counter of the spool, inside the transaction of what it counts."""
    if number:
        index.execute(
            "INSERT INTO counters VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET value = value + excluded.value",
            (destination, int(kind), outcome, reason, number),
        )


def listed(numbers: Iterable[int]) -> str:
    """Numbers as a list in SQL."""
    return ",".join(str(int(number)) for number in numbers)
