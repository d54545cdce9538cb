"""Ports for servers that stop and start again, and for programs that cannot be told to take any."""

from __future__ import annotations

import random
import socket

_BELOW_THOSE_OF_CONNECTIONS = range(15_000, 30_000)
"""The system gives every connection and every "any port" one above these: nobody gets one of ours by chance
while its server is away."""
_choice = random.SystemRandom()  # Hypothesis seeds the other one alike in each worker.


def free_port() -> int:
    """A port that nothing listens on."""
    while True:
        port = _choice.choice(_BELOW_THOSE_OF_CONNECTIONS)
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port
