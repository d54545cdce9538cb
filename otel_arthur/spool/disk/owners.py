"""Who holds a lease, and whether that process still lives.

Each spool handle locks a file of its own. The kernel drops the lock with the process, whatever
ended it, so leases of a killed process are free at once. Where there is no such lock (Windows, a disk
without room, a file that somebody deleted), leases are only freed by their expiry: a file that is
missing proves nothing.
"""

from __future__ import annotations

import contextlib
import os
import sys
import uuid
from collections.abc import Iterable
from pathlib import Path

from otel_arthur.process.per_process import PerProcess
from otel_arthur.spool.errors import SpoolError
from otel_arthur.spool.folder import make_own

_ours: PerProcess[set[str]] = PerProcess(set)
"""Names of this process. Locks are per process, so testing our own would succeed and free it."""


class Owner:
    """One holder of leases. Its file is made when it first leases, and anew where somebody deleted it."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = None if folder is None or sys.platform == "win32" else folder / "owners"
        self._name: str | None = None
        self._descriptor: int | None = None
        self._inode = 0

    @property
    def name(self) -> str:
        """The name under which batches are leased."""
        if self._name is None:
            self._name = uuid.uuid4().hex
            _ours.get().add(self._name)
        if self._folder is not None and not self._is_locked(self._name):
            # No descriptor, no inode, a link: rows must leave the disk all the same.
            with contextlib.suppress(OSError, SpoolError):
                self._lock(self._folder, self._name)
        return self._name

    @staticmethod
    def is_ours(name: str) -> bool:
        """Whether it is a name of this process."""
        return name in _ours.get()

    def is_dead(self, name: str) -> bool:
        """Whether the process of that owner has certainly ended."""
        if self.is_ours(name) or self._folder is None:
            return False
        try:
            descriptor = os.open(self._path(name), os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
        except OSError:
            return False
        try:
            return _try_lock(descriptor)
        finally:
            os.close(descriptor)

    def dead(self) -> list[str]:
        """The names of processes that have ended, as far as their files are here."""
        try:
            paths = [] if self._folder is None else list(self._folder.iterdir())
        except OSError:  # missing, or no descriptor: the next time
            return []
        return [path.stem for path in paths if path.suffix == ".lock" and self.is_dead(path.stem)]

    def remove(self, names: Iterable[str]) -> None:
        """Delete the files of processes that have ended, and that lease nothing any more."""
        for name in names:
            with contextlib.suppress(OSError):
                self._path(name).unlink()

    def close(self) -> str | None:
        """Free the name, and what it has leased with it; returns the name. The file is left to `dead`."""
        name = self._name
        if name is not None:
            _ours.get().discard(name)
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._name = self._descriptor = None
        return name

    def _is_locked(self, name: str) -> bool:
        """Whether our file lies in its place."""
        try:
            return self._descriptor is not None and os.lstat(self._path(name)).st_ino == self._inode
        except OSError:
            return False

    def _lock(self, folder: Path, name: str) -> None:
        """Make and lock our file."""
        make_own(folder)
        # Locked before it gets the name that `dead` looks for.
        new = folder / f"{name}.new"
        descriptor = os.open(new, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        try:
            _try_lock(descriptor)
            new.rename(self._path(name))
        except BaseException:
            os.close(descriptor)
            with contextlib.suppress(OSError):
                new.unlink()
            raise
        if self._descriptor is not None:
            os.close(self._descriptor)
        self._descriptor, self._inode = descriptor, os.fstat(descriptor).st_ino

    def _path(self, name: str) -> Path:
        assert self._folder is not None
        return self._folder / f"{name}.lock"


def _try_lock(descriptor: int) -> bool:
    if sys.platform == "win32":
        return False
    import fcntl

    try:
        # Not flock: that lock would be shared with forked children, and outlive us in them.
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
