"""Ports for servers that stop and start again, and for programs that cannot be told to take any."""

from __future__ import annotations

import itertools
import os
import random
import socket

_BELOW_THOSE_OF_CONNECTIONS = range(15_000, 30_000)
"""The system gives every connection and every "any port" one above these: nobody gets one of ours by chance
while its server is away."""
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
_OWN = _BELOW_THOSE_OF_CONNECTIONS[_WORKER::_WORKERS]
"""Nor does another worker of this run, whose tests know nothing of the server."""
_numbers = itertools.cycle(random.SystemRandom().sample(_OWN, len(_OWN)))
"""Each once before any comes again, for a server begins to listen long after it is made. Hypothesis seeds the
other source of chance alike in each worker."""


def free_port() -> int:
    """A port that nothing listens on, and that nobody else was given."""
    return next(filter(_is_free, _numbers))


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True
