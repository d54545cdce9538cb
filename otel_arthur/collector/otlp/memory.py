"""`Memory`: the bytes that requests under way hold, counted as they grow.

Counted are a request itself (`REQUEST_BYTES`), its body as received, its body inflated, and what parsing
makes of it, until the request is answered and its calls are in the spool.
"""

from __future__ import annotations

import contextlib
import ctypes
import threading
import time

REQUEST_BYTES = 4 * 1024
"""Of one request without its body: headers, stream, task, timer."""
SMALL_BYTES = 64 * 1024
"""What a request may hold beside its first bytes before it counts as a large one."""
_SHARE_OF_LARGE = 7 / 8
"""Large requests leave the rest to small ones, which are answered while large ones wait."""


_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
"""Of glibc's ``malloc.h``."""


def give_back_large_pieces(alone_bytes: int) -> None:
    """Have glibc return a large piece of memory to the system as soon as that is free (mallopt(3)).

    Else it raises the size from which it does so by itself, up to 32 MB, and bodies that grow side by side
    leave as much memory in holes as they hold. Nothing is done where there is another allocator.

    Args:
        alone_bytes: what a large piece has.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_THRESHOLD, alone_bytes)
        mallopt(_M_TRIM_THRESHOLD, 8 * alone_bytes)


class NoRoom(Exception):
    """The requests under way hold as much as they may."""


class Memory:
    """Of one process. Safe to use from several threads."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.held = 0
        self.requests = 0
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._waiting = 0

    def request(self) -> Hold:
        """Room for one more request. The caller must `Hold.release` it.

        Raises:
            NoRoom: there is none.
        """
        self.take(REQUEST_BYTES, is_large=False, requests=1)
        return Hold(self)

    def capacity(self, is_large: bool) -> int:
        """Bytes that all requests together may hold when such a one grows."""
        return int(self.max_bytes * _SHARE_OF_LARGE) if is_large else self.max_bytes

    def take(self, count: int, is_large: bool, seconds: float = 0.0, requests: int = 0) -> None:
        """Hold `count` bytes more, waiting `seconds` for them at most; raises `NoRoom`."""
        with self._lock:
            if self.held + count > self.capacity(is_large):
                self._wait(count, is_large, seconds)
            self.held += count
            self.requests += requests

    def give_back(self, count: int, requests: int = 0) -> None:
        with self._lock:
            self.held -= count
            self.requests -= requests
            if self._waiting:
                self._changed.notify_all()

    def _wait(self, count: int, is_large: bool, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        self._waiting += 1
        try:
            while self.held + count > self.capacity(is_large):
                left = deadline - time.monotonic()
                if left <= 0 or count > self.capacity(is_large):
                    raise NoRoom
                self._changed.wait(left)
        finally:
            self._waiting -= 1


class Hold:
    """What one request holds. Whoever keeps the request calls `share`, and `release` when done with it."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._bytes = REQUEST_BYTES
        self._keepers = 1

    @property
    def capacity(self) -> int:
        """Bytes that a large request could get if it were alone."""
        return self._memory.capacity(is_large=True) - self._bytes

    def grow(self, count: int, seconds: float = 0.0) -> None:
        """Hold `count` bytes more; where there is no room, wait for it so many `seconds` at most.

        Raises:
            NoRoom: there was none.
        """
        self._memory.take(count, self._bytes + count > REQUEST_BYTES + SMALL_BYTES, seconds)
        self._bytes += count

    def shrink(self, count: int) -> None:
        self._bytes -= count
        self._memory.give_back(count)

    def share(self) -> Hold:
        self._keepers += 1
        return self

    def release(self) -> None:
        """One keeper less; the last one gives everything back."""
        self._keepers -= 1
        if not self._keepers:
            self._memory.give_back(self._bytes, requests=1)
            self._bytes = 0
