"""What the spool's index is on disk: its tables, their version, and the way from one version to the next."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator
from typing import Final

from otel_arthur.spool.errors import ForeignDatabase, NewerFormat

FORMAT: Final = 5
"""Version of what is on disk. A spool of a newer format is left alone."""
APPLICATION_ID: Final = 0x41525448

_SCHEMA: Final = """
CREATE TABLE destinations (
    number INTEGER PRIMARY KEY, endpoint TEXT NOT NULL, identity TEXT NOT NULL, model TEXT NOT NULL,
    organization TEXT, last_error TEXT, last_error_at REAL, target TEXT NOT NULL DEFAULT '');
CREATE TABLE batches (
    number INTEGER PRIMARY KEY AUTOINCREMENT, destination INTEGER NOT NULL, kind INTEGER NOT NULL,
    form INTEGER NOT NULL, rows INTEGER NOT NULL, bytes INTEGER NOT NULL, checksum INTEGER NOT NULL,
    created REAL NOT NULL, held INTEGER NOT NULL, ready_at REAL NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
    owner TEXT, leased_until REAL, body BLOB, file TEXT, keys BLOB NOT NULL,
    framing INTEGER NOT NULL DEFAULT 1, set_at REAL, sent_at REAL, free_at REAL, remaining BLOB);
CREATE INDEX batches_waiting ON batches (destination, kind, held, number);
CREATE TABLE recent_keys (batch INTEGER PRIMARY KEY, keys BLOB NOT NULL);
CREATE TABLE keys_0 (key INTEGER PRIMARY KEY, batch INTEGER NOT NULL);
CREATE TABLE keys_1 (key INTEGER PRIMARY KEY, batch INTEGER NOT NULL);
CREATE TABLE evidence (
    batch INTEGER PRIMARY KEY, destination INTEGER NOT NULL, at REAL NOT NULL, scopes TEXT NOT NULL,
    body BLOB NOT NULL, ended INTEGER);
CREATE INDEX evidence_by_age ON evidence (destination, at, scopes, ended);
CREATE TABLE duplicates (
    destination INTEGER NOT NULL, loser TEXT NOT NULL, winner TEXT NOT NULL, at REAL NOT NULL, body BLOB,
    PRIMARY KEY (destination, loser)) WITHOUT ROWID;
CREATE TABLE recent_duplicates (
    number INTEGER PRIMARY KEY AUTOINCREMENT, destination INTEGER NOT NULL, at REAL NOT NULL,
    count INTEGER NOT NULL, pairs TEXT NOT NULL);
CREATE TABLE dead_letters (
    number INTEGER PRIMARY KEY AUTOINCREMENT, destination INTEGER NOT NULL, kind INTEGER NOT NULL,
    form INTEGER NOT NULL, id TEXT NOT NULL, at REAL NOT NULL, reason TEXT NOT NULL, bytes INTEGER NOT NULL,
    row BLOB NOT NULL, framing INTEGER NOT NULL DEFAULT 1);
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


_UPGRADES: Final = {
    1: ("CREATE TABLE recent_keys (batch INTEGER PRIMARY KEY, keys BLOB NOT NULL)",),
    2: (
        "ALTER TABLE destinations ADD COLUMN target TEXT NOT NULL DEFAULT ''",
        "ALTER TABLE batches ADD COLUMN framing INTEGER NOT NULL DEFAULT 1",
        "ALTER TABLE batches ADD COLUMN set_at REAL",
        "ALTER TABLE batches ADD COLUMN sent_at REAL",
        "ALTER TABLE batches ADD COLUMN free_at REAL",
        "ALTER TABLE dead_letters ADD COLUMN framing INTEGER NOT NULL DEFAULT 1",
    ),
    # And from 4 on the head of a body may say what is around and between its contents.
    3: (
        "ALTER TABLE evidence ADD COLUMN ended INTEGER",
        "ALTER TABLE duplicates ADD COLUMN body BLOB",
        "CREATE INDEX evidence_by_age ON evidence (destination, at, scopes, ended)",
    ),
    4: (
        "ALTER TABLE batches ADD COLUMN remaining BLOB",
        "CREATE TABLE recent_duplicates (number INTEGER PRIMARY KEY AUTOINCREMENT, "
        "destination INTEGER NOT NULL, at REAL NOT NULL, count INTEGER NOT NULL, pairs TEXT NOT NULL)",
    ),
}
"""From a format to the next."""


def prepare(raw: sqlite3.Connection, durable: bool, begins: Callable[[], None]) -> None:
    """Set a new connection up, and the database where it is new or of an older format.

    Args:
        begins: called before a database without tables gets ours, while no other process can do so.

    Raises:
        ForeignDatabase: it is no spool of ours.
        NewerFormat: it is a newer version's.
    """
    raw.execute("PRAGMA journal_mode = WAL")
    # FULL syncs the log at each commit: what was appended survives a loss of power. NORMAL only keeps the
    # file whole: an outcome lost with the power means that rows are presented once more.
    raw.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
    # What was delivered is wiped: FAST where rows arrive, whole pages too where they leave.
    raw.execute(f"PRAGMA secure_delete = {'FAST' if durable else 'ON'}")
    # Pages of the log before it is folded back: the reserve must be able to hold as many.
    raw.execute("PRAGMA wal_autocheckpoint = 256")
    # A statement's own journal holds texts of calls: it is no file outside of the spool.
    raw.execute("PRAGMA temp_store = MEMORY")
    raw.execute("PRAGMA foreign_keys = OFF")
    if _version(raw) == 0:
        _create(raw, begins)
    if raw.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise ForeignDatabase
    if _version(raw) < FORMAT:
        _upgrade(raw)
    require_format(raw)


def require_format(raw: sqlite3.Connection) -> None:
    """Raise NewerFormat where a newer version has written the file, perhaps a moment ago."""
    version = _version(raw)
    if version > FORMAT:
        raise NewerFormat(f"the spool has format {version}, this version of otel-arthur knows {FORMAT}")


def _version(raw: sqlite3.Connection) -> int:
    return raw.execute("PRAGMA user_version").fetchone()[0]


def _create(raw: sqlite3.Connection, begins: Callable[[], None]) -> None:
    raw.execute("BEGIN IMMEDIATE")
    if _version(raw) == 0:
        if raw.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
            raw.execute("ROLLBACK")
            raise ForeignDatabase
        begins()
        for statement in _statements(_SCHEMA):
            raw.execute(statement)
        raw.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        raw.execute(f"PRAGMA user_version = {FORMAT}")
    raw.execute("COMMIT")


def _upgrade(raw: sqlite3.Connection) -> None:
    raw.execute("BEGIN IMMEDIATE")
    # Asked again under the lock: another process may have made the change.
    for version in range(_version(raw), FORMAT):
        for statement in _UPGRADES[version]:
            raw.execute(statement)
    raw.execute(f"PRAGMA user_version = {max(_version(raw), FORMAT)}")
    raw.execute("COMMIT")


def _statements(script: str) -> Generator[str, None, None]:
    part = ""
    for line in script.splitlines():
        part += line + "\n"
        if sqlite3.complete_statement(part):
            yield part
            part = ""
