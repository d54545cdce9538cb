"""`Servers`: the listening servers, of which a new configuration restarts only changed ones."""

from __future__ import annotations

import asyncio
import errno
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

_logger = logging.getLogger(__name__)

_REBIND_SECONDS = 2.0


class Server(Protocol):
    """What listens: a receiver, or the pages for operators."""

    async def start(self) -> str:
        """Listen; returns the address. Raises OSError where the address is not free."""
        ...

    async def stop(self, seconds: float) -> None:
        """Take no more requests at once, and wait for those under way for at most so many seconds."""


@dataclass(frozen=True, slots=True)
class Wanted:
    settings: Any
    """The server's settings: equal settings are the same server."""
    make: Callable[[], Server]


class Servers:
    def __init__(self) -> None:
        self._running: dict[str, tuple[Wanted, Server]] = {}
        self._stopping: set[asyncio.Task[None]] = set()

    async def change(self, wanted: Mapping[str, Wanted], seconds: float) -> None:
        """Run the wanted servers, and no others. Requests at servers that end have so many seconds.

        Raises:
            OSError: an address is not free; the earlier servers run again.
        """
        before = {name: one for name, (one, _) in self._running.items()}
        try:
            await self._change(wanted, seconds)
        except OSError:
            await self._change(before, 0.0)
            raise

    async def stop(self, *names: str, seconds: float) -> None:
        """Stop some of them, and wait for their requests."""
        ending = [self._running.pop(name)[1] for name in names if name in self._running]
        await asyncio.gather(*(server.stop(seconds) for server in ending), *self._stopping)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._running)

    async def _change(self, wanted: Mapping[str, Wanted], seconds: float) -> None:
        for name, (one, server) in tuple(self._running.items()):
            if name not in wanted or wanted[name].settings != one.settings:
                del self._running[name]
                self._end(server, seconds)
        for name, one in wanted.items():
            if name not in self._running:
                server = one.make()
                address = await _started(server)
                self._running[name] = (one, server)
                _logger.info("listening", extra={"fields": {"server": name, "address": address}})

    def _end(self, server: Server, seconds: float) -> None:
        task = asyncio.create_task(server.stop(seconds))
        self._stopping.add(task)
        task.add_done_callback(self._stopping.discard)


async def _started(server: Server) -> str:
    """Start a server; the one that had its address before may need a moment to let go of it."""
    deadline = asyncio.get_running_loop().time() + _REBIND_SECONDS
    while True:
        try:
            return await server.start()
        except OSError as error:
            busy = error.errno == errno.EADDRINUSE
            if not busy or asyncio.get_running_loop().time() > deadline:
                raise
            await asyncio.sleep(0.05)
