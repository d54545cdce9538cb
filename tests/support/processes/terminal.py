"""A program run in a terminal of its own, and what it showed there."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from collections.abc import Mapping, Sequence

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def shown_in_terminal(
    command: Sequence[str], *, columns: int = 80, environ: Mapping[str, str] | None = None
) -> str:
    """Standard output of `command` as a terminal of so many columns gets it, colours taken out."""
    parent, child = pty.openpty()
    fcntl.ioctl(child, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    environ = {name: value for name, value in os.environ.items() if name != "COLUMNS"} | dict(environ or {})
    with subprocess.Popen(command, stdout=child, stderr=subprocess.PIPE, env={**environ, "TERM": "xterm"}):
        os.close(child)
        shown = b""
        while True:
            try:
                part = os.read(parent, 65536)
            except OSError:  # Linux says so when the last program has closed its side.
                break
            if not part:
                break
            shown += part
    os.close(parent)
    return _COLOUR.sub("", shown.decode().replace("\r\n", "\n"))
