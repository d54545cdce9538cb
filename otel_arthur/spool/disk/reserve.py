"""Room on the disk for outcomes: without it a full disk would keep the spool from ever getting smaller."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

SIZE: Final = 2 * 1024 * 1024
"""Bytes: as much as folding the database's log back may take, and some outcomes."""
_LEAST: Final = 256 * 1024
_INODES: Final = 3
"""As many as SQLite's log, its index and the lock of a holder of leases take."""
_SHARE: Final = 4
"""The largest share of the free room: calls need the room more."""


class Reserve:
    """Files that are given up when the disk is full, and made again when it is not."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._paths = [] if folder is None else [folder / f"reserve{n or ''}" for n in range(_INODES)]

    def make(self) -> None:
        """Reserve the room, if there is any."""
        if self._folder is None or all(path.exists() for path in self._paths):
            return
        with contextlib.suppress(OSError):
            free, inodes = _free(self._folder)
            size = min(SIZE, free // _SHARE)
            if size >= _LEAST and inodes > 2 * _INODES:
                for number, path in enumerate(self._paths):
                    if not path.exists():
                        _fill(path, 0 if number else size)

    def release(self) -> bool:
        """Give the reserve up; whether there was one."""
        was_there = False
        for path in self._paths:
            with contextlib.suppress(OSError):
                path.unlink()
                was_there = True
        return was_there

    def is_needed(self) -> bool:
        """Whether the disk has next to no room, whatever an error says."""
        if self._folder is None:
            return False
        try:
            free, inodes = _free(self._folder)
        except OSError:
            return False
        return free < _LEAST or inodes < _INODES


def has_room(folder: Path, size: int) -> bool:
    """Whether so many bytes leave what outcomes need, also where a reserve was given up. Raises OSError."""
    return _free(folder)[0] >= size + _LEAST


def _free(folder: Path) -> tuple[int, int]:
    """Bytes and inodes that are left; where a file system counts no inodes, or nobody tells, many."""
    if not hasattr(os, "statvfs"):
        return _SHARE * SIZE, 1 << 30
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize, found.f_favail if found.f_files else 1 << 30


def _fill(path: Path, size: int) -> None:
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        whole = os.write(descriptor, bytes(size)) == size
    except OSError:
        whole = False
    finally:
        os.close(descriptor)
    if not whole:
        path.unlink()
