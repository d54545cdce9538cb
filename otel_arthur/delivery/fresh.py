"""Rows just written to the spool, kept in memory until they are sent: most are sent by their writer."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Final

MAX_BYTES: Final = 4 * 1024 * 1024


class FreshRows:
    """Rows by batch. What has no room is not kept: it is read from the disk, as that of other processes is.

    The oldest stay, for they are sent first. A batch that was changed since has another checksum.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: dict[int, tuple[int, int, Sequence[bytes]]] = {}
        self._bytes = 0

    def keep(self, batch: int, checksum: int, size: int, rows: Sequence[bytes]) -> None:
        """Keep the rows of a batch of `size` bytes, if there is room."""
        with self._lock:
            if self._bytes + size <= MAX_BYTES:
                self._rows[batch] = (checksum, size, rows)
                self._bytes += size

    def take(self, batch: int, checksum: int) -> list[bytes] | None:
        """The rows of a batch, no longer kept; None where they are not known as they are now."""
        with self._lock:
            found = self._rows.pop(batch, None)
            if found is None:
                return None
            self._bytes -= found[1]
        return list(found[2]) if found[0] == checksum else None

    def clear(self) -> None:
        """Keep nothing."""
        self._lock = threading.Lock()
        self._rows = {}
        self._bytes = 0
