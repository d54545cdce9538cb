"""The spool's index: a SQLite database that several processes share. Bodies of large batches are beside it."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

_logger = logging.getLogger("otel_arthur")

FORMAT: Final = 1
"""Version of what is on disk. A spool of a newer format is left alone."""
APPLICATION_ID: Final = 0x41525448
BUSY_SECONDS: Final = 30.0

_SCHEMA: Final = """
CREATE TABLE destinations (
    number INTEGER PRIMARY KEY, endpoint TEXT NOT NULL, identity TEXT NOT NULL, model TEXT NOT NULL,
    last_error TEXT, last_error_at REAL, UNIQUE (endpoint, identity, model));
CREATE TABLE batches (
    number INTEGER PRIMARY KEY AUTOINCREMENT, destination INTEGER NOT NULL, kind INTEGER NOT NULL,
    form INTEGER NOT NULL, rows INTEGER NOT NULL, bytes INTEGER NOT NULL, checksum INTEGER NOT NULL,
    created REAL NOT NULL, held INTEGER NOT NULL, ready_at REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
    owner TEXT, leased_until REAL, body BLOB, file TEXT, keys BLOB NOT NULL);
CREATE INDEX batches_waiting ON batches (destination, kind, held, number);
CREATE TABLE keys_0 (key INTEGER PRIMARY KEY, batch INTEGER NOT NULL);
CREATE TABLE keys_1 (key INTEGER PRIMARY KEY, batch INTEGER NOT NULL);
CREATE TABLE evidence (
    batch INTEGER PRIMARY KEY, destination INTEGER NOT NULL, at REAL NOT NULL, scopes TEXT NOT NULL,
    body BLOB NOT NULL);
CREATE TABLE duplicates (
    destination INTEGER NOT NULL, loser TEXT NOT NULL, winner TEXT NOT NULL, at REAL NOT NULL,
    PRIMARY KEY (destination, loser)) WITHOUT ROWID;
CREATE TABLE dead_letters (
    number INTEGER PRIMARY KEY AUTOINCREMENT, destination INTEGER NOT NULL, kind INTEGER NOT NULL,
    form INTEGER NOT NULL, id TEXT NOT NULL, at REAL NOT NULL, reason TEXT NOT NULL, bytes INTEGER NOT NULL,
    row BLOB NOT NULL);
CREATE TABLE counters (
    destination INTEGER NOT NULL, kind INTEGER NOT NULL, outcome TEXT NOT NULL, reason TEXT NOT NULL,
    value INTEGER NOT NULL, PRIMARY KEY (destination, kind, outcome, reason)) WITHOUT ROWID;
CREATE TABLE state (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO state VALUES ('bytes', 0), ('generation', 0), ('generation_keys', 0);
CREATE TRIGGER batch_added AFTER INSERT ON batches BEGIN
    UPDATE state SET value = value + new.bytes WHERE name = 'bytes'; END;
CREATE TRIGGER batch_changed AFTER UPDATE OF bytes ON batches BEGIN
    UPDATE state SET value = value + new.bytes - old.bytes WHERE name = 'bytes'; END;
CREATE TRIGGER batch_removed AFTER DELETE ON batches BEGIN
    UPDATE state SET value = value - old.bytes WHERE name = 'bytes'; END;
CREATE TRIGGER dead_letter_added AFTER INSERT ON dead_letters BEGIN
    UPDATE state SET value = value + new.bytes WHERE name = 'bytes'; END;
CREATE TRIGGER dead_letter_removed AFTER DELETE ON dead_letters BEGIN
    UPDATE state SET value = value - old.bytes WHERE name = 'bytes'; END;
"""


class SpoolError(Exception):
    """The spool cannot be used; one line that says why."""


class NewerFormat(SpoolError):
    """Written by a newer version: left alone."""


class Connection:
    """One SQLite connection, used by one thread at a time."""

    def __init__(self, path: Path | None, *, durable: bool) -> None:
        self.path = path
        self._durable = durable
        self._lock = threading.RLock()
        self.raw = self._open()

    @contextmanager
    def transaction(self) -> Generator[sqlite3.Connection, None, None]:
        """Everything inside is committed together, or nothing of it.

        Raises:
            sqlite3.Error: the disk is full, the database is damaged, or another process holds it.
        """
        with self._lock:
            # IMMEDIATE: the write lock is taken before the first look, so what is seen stays true.
            self.raw.execute("BEGIN IMMEDIATE")
            try:
                yield self.raw
                self.raw.execute("COMMIT")
            except BaseException:
                if self.raw.in_transaction:
                    self.raw.execute("ROLLBACK")
                raise

    def read(self, statement: str, arguments: Any = ()) -> list[Any]:
        """All rows of a query."""
        with self._lock:
            return self.raw.execute(statement, arguments).fetchall()

    def close(self) -> None:
        with self._lock:
            self.raw.close()

    def _open(self) -> sqlite3.Connection:
        target = ":memory:" if self.path is None else str(self.path)
        raw = sqlite3.connect(target, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            _prepare(raw, self._durable)
        except BaseException:
            raw.close()
            raise
        return raw


def _prepare(raw: sqlite3.Connection, durable: bool) -> None:
    raw.execute("PRAGMA journal_mode = WAL")
    # FULL syncs the log at each commit: what was appended survives a loss of power. NORMAL only keeps the
    # file whole: an outcome lost with the power means that rows are presented once more.
    raw.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
    raw.execute("PRAGMA secure_delete = OFF")
    raw.execute("PRAGMA foreign_keys = OFF")
    version = raw.execute("PRAGMA user_version").fetchone()[0]
    if version == 0:
        raw.execute("BEGIN IMMEDIATE")
        if raw.execute("PRAGMA user_version").fetchone()[0] == 0:
            if raw.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
                raw.execute("ROLLBACK")
                raise SpoolError("the database is not a spool of otel-arthur")
            for statement in _statements(_SCHEMA):
                raw.execute(statement)
            raw.execute(f"PRAGMA application_id = {APPLICATION_ID}")
            raw.execute(f"PRAGMA user_version = {FORMAT}")
        raw.execute("COMMIT")
    elif version > FORMAT:
        raise NewerFormat(f"the spool has format {version}, this version of otel-arthur knows {FORMAT}")
    elif raw.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise SpoolError("the database is not a spool of otel-arthur")


def _statements(script: str) -> Generator[str, None, None]:
    part = ""
    for line in script.splitlines():
        part += line + "\n"
        if sqlite3.complete_statement(part):
            yield part
            part = ""


def set_aside(path: Path) -> Path:
    """Rename a damaged database with its log, so that a new one can begin and nothing is destroyed."""
    suffix = f".damaged-{int(time.time())}-{os.getpid()}"
    for name in (path, path.with_name(path.name + "-wal"), path.with_name(path.name + "-shm")):
        if name.exists():
            name.rename(name.with_name(name.name + suffix))
    return path.with_name(path.name + suffix)
