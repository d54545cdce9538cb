"""The spool for a command: a person waits for its answer, and is told the cause of a fault."""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
from pathlib import Path
from typing import Final

from otel_arthur.spool.bounded import Bounded, NoAnswer
from otel_arthur.spool.disk.answering import disk_of, has_answered
from otel_arthur.spool.disk.index.causes import is_busy
from otel_arthur.spool.disk.index.files import ASIDE
from otel_arthur.spool.disk.index.holder import holder_of, is_still
from otel_arthur.spool.disk.reserve import Reserve
from otel_arthur.spool.fallback import carrying
from otel_arthur.spool.folder import DATABASE_NAME, place_of, settled
from otel_arthur.spool.spool import Spool

_ANSWER_SECONDS: Final = 4.0


def opened(folder: Path, max_bytes: int, *, writes: bool = False, grows: bool = False) -> Spool:
    """The spool of a configured folder, with what lay in that folder itself.

    Args:
        writes: the command changes the spool, so a disk that takes nothing is an error now.
        grows: the same, and a disk without room for calls is an error too; nothing is changed.

    Raises:
        SpoolError, OSError, sqlite3.Error: it cannot be used, or its disk has not answered.
    """

    def open_() -> Spool:
        place = settled(folder)
        # Asked first: on a full disk the spool opens with the room of its reserve.
        if grows and Reserve(place.folder).is_needed():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        spool = Spool(place.folder, max_bytes)
        carrying.empty(place, spool)
        try:
            if writes or grows:
                spool.touch()
        except sqlite3.OperationalError as error:
            # Another process writes: then the disk takes something.
            if writes or not is_busy(error):
                raise
        return spool

    return Bounded().run(open_, _ANSWER_SECONDS, late=lambda spool: spool.close(), instead=lambda: None)


def require_answer(folder: Path) -> None:
    """Raise NoAnswer, with the name of the disk, where that hangs. Nothing that hangs is begun here."""
    if not has_answered(folder):
        raise NoAnswer(f"{disk_of(folder)} does not answer")


def told(folder: Path, error: Exception) -> str:
    """The error for a person: who holds the database, or that the disk takes nothing; and how much waits."""
    if isinstance(error, NoAnswer):
        # To look again would hang as well.
        return f"{disk_of(folder)} does not answer"
    database = place_of(folder).folder / DATABASE_NAME
    why = (is_busy(error) and stopped_by(holder_of(database))) or str(error)
    if _is_read_only(database.parent):
        why = f"its file system is read-only ({error})"
    rows = _waiting(database)
    return why if rows is None else f"{why}; records that wait there: {rows}"


def set_aside(spool: Spool) -> list[str]:
    """What lies beside the spool since an index was damaged, with its files of calls, in words."""
    folders = [] if spool.folder is None else sorted(spool.folder.glob(f"{ASIDE}*"))
    return [
        f"a damaged spool is kept in {one}, with files of calls that were not sent: "
        f"{len(list(one.glob('bodies/*.rows')))}; delete the folder once you have looked"
        for one in folders
    ]


def stopped_by(holder: str) -> str:
    """Which process has locked the database, and what to do; empty where none has."""
    return f"{holder} has locked the spool's database; let it go on, or end it" if holder else ""


def still_holder(spool: Spool) -> str:
    """As `stopped_by`, of a stopped process: a running process holds the database for a moment only."""
    holder = "" if spool.folder is None else holder_of(spool.folder / DATABASE_NAME)
    return stopped_by(holder) if is_still(holder) else ""


def _is_read_only(folder: Path) -> bool:
    try:
        return hasattr(os, "statvfs") and bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
    except OSError:
        return False


def _waiting(database: Path) -> int | None:
    """Records that wait, read without changing anything; None where nobody can tell."""
    # Without a log, which must be writable, the database is read as a file that nobody changes.
    ways = ["mode=ro", *(["immutable=1"] if not Path(f"{database}-wal").exists() else [])]
    for way in ways:
        with contextlib.suppress(sqlite3.Error, OSError, UnicodeDecodeError):
            address = f"{database.resolve().as_uri()}?{way}"
            with contextlib.closing(sqlite3.connect(address, uri=True, timeout=0.1)) as raw:
                return raw.execute("SELECT ifnull(sum(rows), 0) FROM batches").fetchone()[0]
    return None
