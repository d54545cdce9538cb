"""Room on the disk for outcomes: without it a full disk would keep the spool from ever getting smaller."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Final

SIZE: Final = 2 * 1024 * 1024
"""Bytes: as much as folding the database's log back may take, and some outcomes."""


class Reserve:
    """A file that is given up when the disk is full, and made again when it is not."""

    def __init__(self, folder: Path | None) -> None:
        self._path = None if folder is None else folder / "reserve"

    def make(self) -> None:
        """Reserve the room, if there is any."""
        if self._path is None or self._path.exists():
            return
        with contextlib.suppress(OSError):
            descriptor = os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            try:
                os.write(descriptor, bytes(SIZE))
            finally:
                os.close(descriptor)

    def release(self) -> bool:
        """Give the room up; whether there was any."""
        if self._path is None:
            return False
        try:
            self._path.unlink()
        except OSError:
            return False
        return True
