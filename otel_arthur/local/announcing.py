"""A web server that says when it accepts connections."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable

import uvicorn


class AnnouncingServer(uvicorn.Server):
    """Calls `announce` with its port once it accepts connections.

    Overrides `uvicorn.Server.startup`, which opens the sockets (as of uvicorn 0.54).
    """

    def __init__(self, config: uvicorn.Config, announce: Callable[[int], None]) -> None:
        super().__init__(config)
        self._announce = announce
        # Without a handler of the application's, Python would print uvicorn's warnings on stderr.
        logging.getLogger("uvicorn").addHandler(logging.NullHandler())

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._announce(self.servers[0].sockets[0].getsockname()[1])
