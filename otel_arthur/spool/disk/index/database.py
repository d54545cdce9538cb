"""The spool's index: a SQLite database that several processes share."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

import tenacity

from otel_arthur.process.forks import FORK_SECONDS
from otel_arthur.spool.disk.index.causes import Replaced, is_damage, is_passing
from otel_arthur.spool.disk.index.disk_format import prepare, require_format
from otel_arthur.spool.disk.index.files import Files
from otel_arthur.spool.errors import FAULTS
from otel_arthur.spool.folder import check_file, make_where_missing

BUSY_SECONDS: Final = 2.0
"""The longest wait for a process that stands still while it holds the database."""
_SQLITE_BUSY_SECONDS: Final = 0.05
_STILL: Final = "the disk does not answer; the database is locked by a thread that waits for it"
_T = TypeVar("_T")


class Connection:
    """One SQLite connection, used by one thread at a time, opened when it is first needed.

    A file that was moved or deleted is given up, and the file now in its place is used: what is written into
    a file without a name is lost.

    Args:
        path: None keeps it in memory.
        durable: what is committed survives a loss of power.
        begins: called where an empty database becomes a spool, while no other process can do so.
        left: called with a file that is given up, as another is in its place; with None if it was closed.
    """

    def __init__(
        self,
        path: Path | None,
        *,
        durable: bool,
        left: Callable[[sqlite3.Connection | None], None],
        begins: Callable[[], None],
    ) -> None:
        self._path = path
        self._left = left
        self._begins = begins
        self._durable = durable
        self._raw: sqlite3.Connection | None = None
        self._files = Files(path) if path is not None else None
        self.lock = threading.RLock()

    def __del__(self) -> None:
        # A spool in memory is never closed while its counts may be asked for.
        if (raw := self._raw) is not None:
            raw.close()

    @contextmanager
    def transaction(self, patience: float = BUSY_SECONDS) -> Generator[sqlite3.Connection, None, None]:
        """Everything inside is committed together, or nothing of it.

        Args:
            patience: seconds to wait at most where another process holds the database.

        Raises:
            sqlite3.Error: the disk is full, the database is damaged, or another process holds it.
            OSError, SpoolError: there is no database to be had.
        """
        raw = self._patiently(lambda: self._begin(patience), patience)
        try:
            try:
                yield raw
                raw.execute("COMMIT")
            except BaseException:
                if raw.in_transaction:
                    raw.execute("ROLLBACK")
                raise
        finally:
            self.lock.release()

    @contextmanager
    def snapshot(self) -> Generator[sqlite3.Connection, None, None]:
        """Reads inside see one state; no writer is waited for. Errors as `transaction`."""
        with self._locked():
            raw = self._patiently(self._current)
            raw.execute("BEGIN")
            try:
                require_format(raw)
                yield raw
            finally:
                raw.execute("ROLLBACK")

    def read(self, statement: str, arguments: Any = ()) -> list[Any]:
        """All rows of a query; errors as `transaction`."""

        def query() -> list[Any]:
            with self._locked():
                return self._current().execute(statement, arguments).fetchall()

        try:
            return self._patiently(query)
        except sqlite3.Error as error:
            self._refuse_newer(error)
            raise

    @property
    def is_open(self) -> bool:
        """Whether it has a file open."""
        return self._raw is not None

    def make_ready(self) -> None:
        """Open the file that lies in its place now, unless it is open; errors as `transaction`."""

        def ready() -> None:
            with self._locked():
                self._current()

        if not self.is_open or self.is_outdated:
            self._patiently(ready)

    def shrink_log(self) -> bool:
        """Give the room of the log back to the disk; whether it could be done."""
        with contextlib.suppress(*FAULTS), self._locked():
            (busy, *_), *_ = self._current().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            return not busy
        return False

    @property
    def is_removed(self) -> bool:
        """Whether the open file no longer lies in its place; errors as `is_outdated`."""
        return self._raw is not None and self._files is not None and not self._files.is_database_ours()

    @property
    def is_outdated(self) -> bool:
        """Whether the file or its shared index no longer lies in its place; OSError where nobody may look."""
        return self._raw is not None and self._files is not None and not self._files.are_ours()

    def close(self, *, for_good: bool = False) -> None:
        """Close the database; later use opens it again. A database in memory is gone.

        Args:
            for_good: another file will lie in its place.
        """
        if not self.lock.acquire(timeout=BUSY_SECONDS):
            return  # A thread waits for a disk that does not answer.
        try:
            raw, self._raw = self._raw, None
            if raw is not None:
                if self._files is not None:
                    is_gone = for_good
                    with contextlib.suppress(OSError):
                        self._files.make_whole()
                    with contextlib.suppress(OSError):  # where nobody may look, what is there may be ours
                        is_gone = is_gone or not self._files.is_database_ours()
                    if is_gone:
                        self._files.forget()
                        self._left(raw)
                raw.close()
        finally:
            self.lock.release()

    def before_fork(self) -> bool:
        """Take the lock and close the file; False where another thread kept the lock too long.

        SQLite keeps what it has locked in the process's memory, by file: a child that inherited it would
        take the parent's locks for its own (sqlite.org/howtocorrupt.html, 2.6). Memory cannot be closed,
        and has no locks.
        """
        if not self.lock.acquire(timeout=FORK_SECONDS):
            return False
        if self._path is not None:
            self.close()
        return True

    def after_fork_in_child(self) -> None:
        """Begin anew. A parent's memory is neither used nor closed."""
        self.lock = threading.RLock()
        if self._raw is not None:
            _abandoned.append(self._raw)
            self._raw = None

    def _begin(self, patience: float) -> sqlite3.Connection:
        """Take the lock and begin a transaction, or neither."""
        self._take_lock(patience)
        try:
            raw = self._current()
            # IMMEDIATE: the write lock is taken before the first look, so what is seen stays true.
            raw.execute("BEGIN IMMEDIATE")
            try:
                self._require_place()
                require_format(raw)
            except BaseException:
                raw.execute("ROLLBACK")
                raise
        except BaseException:
            self.lock.release()
            raise
        return raw

    @contextmanager
    def _locked(self) -> Generator[None, None, None]:
        self._take_lock(BUSY_SECONDS)
        try:
            yield
        finally:
            self.lock.release()

    def _take_lock(self, patience: float) -> None:
        if not self.lock.acquire(timeout=max(patience, 0.0)):
            raise sqlite3.OperationalError(_STILL)

    def _require_place(self) -> None:
        # Another process may have counted the rows of a removed file as lost, or begun a new file.
        if self.is_removed:
            raise Replaced

    def _refuse_newer(self, error: sqlite3.Error) -> None:
        """Raise NewerFormat where an error is due to a newer version's upgrade of the file under us."""
        if is_damage(error):
            # Locked: another thread may close it meanwhile, and SQLite would crash.
            with contextlib.suppress(sqlite3.Error), self._locked():
                if self._raw is not None:
                    require_format(self._raw)

    def _patiently(self, operation: Callable[[], _T], patience: float = BUSY_SECONDS) -> _T:
        """Repeat `operation` while another process holds or replaces the database, up to `patience` seconds.

        Not left to SQLite, which would keep our lock meanwhile, and with it a fork.
        """
        began = time.monotonic()
        try:
            return operation()
        except sqlite3.OperationalError as error:
            if not is_passing(error) or time.monotonic() - began >= patience:
                raise
        return tenacity.Retrying(
            retry=tenacity.retry_if_exception(is_passing),
            wait=tenacity.wait_random(0.001, 0.02),
            stop=tenacity.stop_after_delay(patience),
            reraise=True,
        )(operation)

    def _current(self) -> sqlite3.Connection:
        if self._raw is not None and not self.is_outdated:
            return self._raw
        self.close()
        self._raw = self._open()
        return self._raw

    def _open(self) -> sqlite3.Connection:
        target = ":memory:"
        if self._path is not None:
            make_where_missing(self._path.parent)
            if self._path.is_dir() and not self._path.is_symlink():
                raise sqlite3.DatabaseError("a folder in its place is not a database")
            for ending in ("", "-wal", "-shm"):
                check_file(self._path.with_name(self._path.name + ending))
            target = str(self._path)
            if not self._path.exists():
                # Only where it is new: to open and close a file in use would drop SQLite's locks on it
                # (sqlite.org/howtocorrupt.html, 2.2). Its log takes over the mode.
                with contextlib.suppress(FileExistsError):
                    os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        opened = None if self._files is None else self._files.number()
        raw = sqlite3.connect(
            target, timeout=_SQLITE_BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        try:
            prepare(raw, self._durable, self._begins)
            if self._files is not None and not self._files.remember(opened):
                self._left(None)
        except BaseException:
            raw.close()
            raise
        return raw


_abandoned: list[sqlite3.Connection] = []
