"""`Memory`: the bytes that requests under way hold, counted as they grow.

A request counts with `REQUEST_BYTES`, the received body, the inflated body, and the parsed message, until the
request is answered and its calls are in the spool.
"""

from __future__ import annotations

import contextlib
import ctypes
import threading
import time

REQUEST_BYTES = 4 * 1024
"""The bytes of one request without its body: headers, stream, task, timer."""
SMALL_BYTES = 64 * 1024
"""A request that holds more than this, beside its first bytes, is a large one."""
_SHARE_OF_LARGE = 7 / 8
"""The share of large requests. The rest is for small ones, which are answered while large ones wait."""


_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
"""From glibc's ``malloc.h``."""


def give_back_large_pieces(alone_bytes: int) -> None:
    """Make glibc return a large piece of memory to the system once the piece is free (mallopt(3)).

    By default glibc raises the size of such pieces up to 32 MB, and bodies that grow side by side leave as
    much memory in holes as they hold. With another allocator nothing is done.

    Args:
        alone_bytes: the size of a large piece.
    """
    with contextlib.suppress(OSError, AttributeError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_THRESHOLD, alone_bytes)
        mallopt(_M_TRIM_THRESHOLD, 8 * alone_bytes)


class NoRoom(Exception):
    """The requests under way hold all the memory that they may."""


class Memory:
    """One for each process. Safe to use from several threads."""

    def __init__(self, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self.held = 0
        self.requests = 0
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._waiting = 0

    def request(self) -> Hold:
        """A hold for one more request. The caller must `Hold.release` the hold.

        Raises:
            NoRoom: there is none.
        """
        self.take(REQUEST_BYTES, is_large=False, requests=1)
        return Hold(self)

    def capacity(self, is_large: bool) -> int:
        """Bytes that all requests together may hold when a request of this size grows."""
        return int(self.max_bytes * _SHARE_OF_LARGE) if is_large else self.max_bytes

    def take(self, count: int, is_large: bool, seconds: float = 0.0, requests: int = 0) -> None:
        """Hold `count` bytes more, after `seconds` of waiting at most; raises `NoRoom`."""
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
    """The memory of one request. Each keeper of the request calls `share`, and `release` at its end."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._bytes = REQUEST_BYTES
        self._keepers = 1

    @property
    def capacity(self) -> int:
        """Bytes that a large request could get without any other request."""
        return self._memory.capacity(is_large=True) - self._bytes

    def grow(self, count: int, seconds: float = 0.0) -> None:
        """Hold `count` bytes more, after so many `seconds` of waiting at most.

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
