"""`Connections`: the connections of one receiver, and which one is ended when there are too many."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Connections:
    """A bounded number of connections. For one event loop.

    Above the limit the connection that has been idle longest is ended; if none is idle, the one that has been
    sending its request, or taking its answer, longest. A connection whose request is being handled stays.

    Args:
        ended: called with the reason whenever a connection is ended here.
    """

    def __init__(self, limit: int, ended: Callable[[str], None]) -> None:
        self.limit = limit
        self._ended = ended
        self._idle: dict[asyncio.Transport, None] = {}
        self._sending: dict[asyncio.Transport, None] = {}
        self._working: dict[asyncio.Transport, None] = {}

    def __len__(self) -> int:
        return len(self._idle) + len(self._sending) + len(self._working)

    def opened(self, connection: asyncio.Transport) -> None:
        """Add a connection; if it is one too many, an idle connection or this one is ended."""
        if len(self) >= self.limit:
            victim = next(iter(self._idle or self._sending), connection)
            self.end(victim, "too many connections")
            if victim is connection:
                return
        self._idle[connection] = None

    def is_idle(self, connection: asyncio.Transport) -> None:
        self._move(connection, self._idle)

    def is_sending(self, connection: asyncio.Transport) -> None:
        """The client is waited for: for the rest of its request, or to take its answer."""
        self._move(connection, self._sending)

    def is_working(self, connection: asyncio.Transport) -> None:
        self._move(connection, self._working)

    def end(self, connection: asyncio.Transport, reason: str) -> None:
        self._ended(reason)
        self.closed(connection)
        connection.abort()

    def malformed(self) -> None:
        """Count a connection that spoke another protocol, or broke this one's rules."""
        self._ended("malformed")

    def closed(self, connection: asyncio.Transport) -> None:
        for state in (self._idle, self._sending, self._working):
            state.pop(connection, None)

    def _move(self, connection: asyncio.Transport, state: dict[asyncio.Transport, None]) -> None:
        # An ended connection may still have a running handler.
        for other in (self._idle, self._sending, self._working):
            if connection in other:
                del other[connection]
                state[connection] = None
                return
