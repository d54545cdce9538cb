"""The sockets that threads write requests to, so that another thread can end all writing for good."""

from __future__ import annotations

import socket
from collections.abc import Generator
from contextlib import contextmanager, suppress


class Writers:
    """Knows the writing threads, and ends them. Thread-safe without a lock: `stop` waits for no writer."""

    def __init__(self) -> None:
        self.stopped = False
        self._sockets: dict[int, socket.socket] = {}

    @contextmanager
    def writing(self, sock: socket.socket) -> Generator[None]:
        """Around each write to a socket.

        Raises:
            ConnectionAbortedError: `stop` was called.
        """
        self._sockets[id(sock)] = sock
        try:
            # The order matters: either `stop` sees the socket, or this line sees that `stop` was called.
            if self.stopped:
                raise ConnectionAbortedError("this transport was stopped")
            yield
        finally:
            self._sockets.pop(id(sock), None)

    def stop(self) -> None:
        """Nothing is written any more once this returns. Answers to whole requests may still be read."""
        self.stopped = True
        for sock in list(self._sockets.values()):
            with suppress(OSError):
                # Not the method of a TLS socket: that one drops the encryption under the writing thread.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
