"""Who holds a lease, and whether that process still lives.

Each spool handle locks a file of its own. The kernel drops the lock with the process, whatever
ended it, so leases of a killed process are free at once. Where there are no such locks (Windows),
leases are only freed by their expiry.
"""

from __future__ import annotations

import contextlib
import os
import sys
import uuid
from pathlib import Path

from otel_arthur.process.per_process import PerProcess
from otel_arthur.spool.folder import make_own

_ours: PerProcess[set[str]] = PerProcess(set)
"""Names of this process. Locks are per process, so testing our own would succeed and free it."""

_UNLOCKED = "unlocked-"
"""Names of holders without a file: their leases end by time only."""


class Owner:
    """One holder of leases. Its file is made when it first leases."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = None if folder is None or sys.platform == "win32" else folder / "owners"
        self._name: str | None = None
        self._descriptor: int | None = None

    @property
    def name(self) -> str:
        """The name under which batches are leased."""
        if self._name is None:
            name = uuid.uuid4().hex
            if self._folder is not None:
                try:
                    self._descriptor = self._lock(self._folder, name)
                except OSError:  # no descriptor, no inode: what is on disk must leave it all the same
                    name = _UNLOCKED + name
            _ours.get().add(name)
            self._name = name
        return self._name

    @staticmethod
    def is_ours(name: str) -> bool:
        """Whether it is a name of this process."""
        return name in _ours.get()

    def is_dead(self, name: str) -> bool:
        """Whether the process of that owner has certainly ended."""
        if self.is_ours(name) or self._folder is None or name.startswith(_UNLOCKED):
            return False
        try:
            descriptor = os.open(self._path(name), os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
        except FileNotFoundError:
            return True
        except OSError:
            return False
        try:
            if not _try_lock(descriptor):
                return False
            self._path(name).unlink(missing_ok=True)
        finally:
            os.close(descriptor)
        return True

    def sweep(self) -> None:
        """Delete the files of processes that have ended."""
        if self._folder is None or not self._folder.is_dir():
            return
        for path in self._folder.glob("*.lock"):
            self.is_dead(path.stem)

    def close(self) -> None:
        """Free the name: what it has leased is free with it."""
        if self._name is None:
            return
        _ours.get().discard(self._name)
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                self._path(self._name).unlink()
            os.close(self._descriptor)
        self._name = self._descriptor = None

    def _lock(self, folder: Path, name: str) -> int:
        """Make and lock our file; returns its descriptor."""
        make_own(folder)
        # Locked before it gets the name that `sweep` looks for.
        new = folder / f"{name}.new"
        descriptor = os.open(new, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600)
        try:
            _try_lock(descriptor)
            new.rename(self._path(name))
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

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
