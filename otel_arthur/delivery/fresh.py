"""Rows just written to the spool, kept in memory until they are sent: most are sent by their writer."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Sequence
from typing import Final, NamedTuple

MAX_BYTES: Final = 4 * 1024 * 1024


class _Kept(NamedTuple):
    checksum: int
    size: int
    rows: Sequence[bytes]


class FreshRows:
    """Rows by destination and batch. What has no room is not kept: it is read from the disk, as that of
    other processes is.

    The oldest stay, for they are sent first. A batch that was changed since has another checksum.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: defaultdict[int, dict[int, _Kept]] = defaultdict(dict)
        self._bytes = 0

    def keep(self, destination: int, batch: int, checksum: int, size: int, rows: Sequence[bytes]) -> None:
        """Keep the rows of a batch of `size` bytes, if there is room."""
        with self._lock:
            # A new database numbers its batches from 1 again.
            self._drop(destination, batch)
            if self._bytes + size <= MAX_BYTES:
                self._kept[destination][batch] = _Kept(checksum, size, rows)
                self._bytes += size

    def take(self, destination: int, batch: int, checksum: int) -> list[bytes] | None:
        """The rows of a batch, no longer kept; None where they are not known as they are now."""
        with self._lock:
            # Batches go in order: those before it, other processes have sent.
            for passed in [number for number in self._kept[destination] if number < batch]:
                self._drop(destination, passed)
            found = self._drop(destination, batch)
        return list(found.rows) if found is not None and found.checksum == checksum else None

    def clear(self) -> None:
        """Keep nothing."""
        with self._lock:
            self._kept.clear()
            self._bytes = 0

    def _drop(self, destination: int, batch: int) -> _Kept | None:
        found = self._kept[destination].pop(batch, None)
        if found is not None:
            self._bytes -= found.size
        return found
