"""The files of a database that is open: whether they are in their place, and moving them out of it."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final

from otel_arthur.spool.disk.index.causes import Replaced

_SHARED_BYTES: Final = 32 * 1024
"""SQLite maps the shared index in pieces of this size (walindex, sqlite.org/walformat.html)."""


ASIDE: Final = "damaged-"
"""How the names of folders begin that keep what was damaged."""


class Files:
    """Of one connection."""

    def __init__(self, path: Path) -> None:
        # As texts: they are asked for with each transaction.
        self._database = str(path)
        self._shared = f"{path}-shm"
        self._inode = 0
        self._shared_inode = 0
        self._mapped = 0

    def number(self) -> int | None:
        """The number of the database that lies there; None where none does. OSError where nobody may look."""
        try:
            return os.lstat(self._database).st_ino
        except (FileNotFoundError, NotADirectoryError):
            return None

    def remember(self, opened: int | None) -> bool:
        """Take the files that lie there for ours; whether those before were the same, or there were none.

        Args:
            opened: the database's `number` before it was opened.

        Raises:
            Replaced: another one lies there by now, and nobody knows which of the two is open.
        """
        if opened is None or self.number() != opened:
            raise Replaced
        before, self._inode = self._inode, opened
        self._shared_inode = os.lstat(self._shared).st_ino if os.path.lexists(self._shared) else 0
        self._mapped = _SHARED_BYTES
        return before in (0, self._inode)

    def forget(self) -> None:
        """None is ours."""
        self._inode = 0

    def is_database_ours(self) -> bool:
        """Whether it is in its place; OSError where nobody may look."""
        return self.number() == self._inode

    def are_ours(self) -> bool:
        """Whether they are in their place; the shared index is whole after this. OSError as above."""
        if not self.is_database_ours():
            return False
        try:
            return self.make_whole()
        except OSError:
            return False

    def make_whole(self) -> bool:
        """Lengthen the shared index where somebody cut it; whether it is ours."""
        found = os.lstat(self._shared)
        size = found.st_size
        if found.st_ino != self._shared_inode:
            return False
        if size < self._mapped:
            # SQLite has it mapped, and the kernel kills who reads beyond its end (SIGBUS). Zeros are read
            # as an index that must be built anew from the log; a head that is left would say that it is
            # whole. By name: a descriptor that is closed here would take SQLite's locks with it.
            os.truncate(self._shared, 0)
            os.truncate(self._shared, self._mapped)
        else:
            self._mapped = size
        return True


def set_aside(*paths: Path) -> Path:
    """Move what is damaged of a spool into a folder of its own; nothing is destroyed."""
    aside = paths[0].parent / f"{ASIDE}{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}-{time.monotonic_ns()}"
    aside.mkdir(mode=0o700)
    for path in paths:
        if path.exists():
            path.rename(aside / path.name)
    return aside
