"""Rows just written to the spool, kept in memory until they are sent: most are sent by their writer."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final

MAX_BYTES: Final = 4 * 1024 * 1024


class FreshRows:
    """Rows by batch, `MAX_BYTES` of the latest: all others are read from the disk.

    A batch that was changed since has another checksum.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: dict[int, tuple[int, int, Sequence[bytes]]] = {}
        self._bytes = 0

    def keep(self, batch: int, checksum: int, size: int, rows: Sequence[bytes]) -> None:
        """Keep the rows of a batch of `size` bytes. What another process sent meanwhile makes room."""
        if size > MAX_BYTES:
            return
        with self._lock:
            # A new database numbers its batches from 1 again.
            self._drop(batch)
            self._rows[batch] = (checksum, size, rows)
            self._bytes += size
            while self._bytes > MAX_BYTES:
                self._drop(next(iter(self._rows)))

    def take(self, batch: int, checksum: int) -> list[bytes] | None:
        """The rows of a batch, no longer kept; None where they are not known as they are now."""
        with self._lock:
            found = self._drop(batch)
        return list(found[2]) if found is not None and found[0] == checksum else None

    def clear(self) -> None:
        """Keep nothing."""
        with self._lock:
            self._rows.clear()
            self._bytes = 0

    def _drop(self, batch: int) -> tuple[int, int, Sequence[bytes]] | None:
        found = self._rows.pop(batch, None)
        if found is not None:
            self._bytes -= found[1]
        return found
