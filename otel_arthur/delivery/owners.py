"""Who holds a lease, and whether that process still lives.

Each spool handle locks a file of its own. The kernel drops the lock with the process, whatever
ended it, so leases of a killed process are free at once. Where there are no such locks (Windows),
leases are only freed by their expiry.
"""

from __future__ import annotations

import os
import uuid
from pathlib import Path
from typing import Any

try:
    import fcntl
except ImportError:  # pragma: no cover - Windows
    fcntl: Any = None

_ours: set[str] = set()
"""Names of this process. Locks are per process, so testing our own would succeed and free it."""


class Owner:
    """One holder of leases."""

    def __init__(self, folder: Path | None) -> None:
        self.name = uuid.uuid4().hex
        self._folder = None if folder is None or fcntl is None else folder / "owners"
        self._descriptor: int | None = None
        _ours.add(self.name)
        if self._folder is not None:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            self._descriptor = os.open(self._path(self.name), os.O_CREAT | os.O_RDWR, 0o600)
            fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def is_dead(self, name: str) -> bool:
        """Whether the process of that owner has certainly ended."""
        if name in _ours or self._folder is None:
            return False
        try:
            descriptor = os.open(self._path(name), os.O_RDWR)
        except FileNotFoundError:
            return True
        except OSError:
            return False
        try:
            fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        finally:
            os.close(descriptor)
        self._path(name).unlink(missing_ok=True)
        return True

    def close(self) -> None:
        """Free the name. What it had leased is free with it."""
        _ours.discard(self.name)
        if self._descriptor is not None:
            self._path(self.name).unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = None

    def _path(self, name: str) -> Path:
        assert self._folder is not None
        return self._folder / f"{name}.lock"


def forget_after_fork() -> None:
    """In a forked child: the parent's names are not ours, its locks were not inherited."""
    _ours.clear()
