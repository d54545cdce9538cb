"""Where the core listens: a Unix socket, a TCP port, or a socket that its parent made."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
from dataclasses import dataclass
from pathlib import Path

from otel_arthur.collector.configuration.addresses import Address, address_of
from otel_arthur.collector.receivers.listening import BACKLOG, listener

_MODE = 0o660
"""The mode of a Unix socket: for its user, and for its group, so that a Collector may run as another user."""
_DEFAULT_PORT = 14319


@dataclass(frozen=True, slots=True)
class UnixSocket:
    path: Path

    def __str__(self) -> str:
        return f"unix://{self.path}"


@dataclass(frozen=True, slots=True)
class Inherited:
    """A socket that listens already, by its descriptor."""

    descriptor: int

    def __str__(self) -> str:
        return f"descriptor {self.descriptor}"


Place = UnixSocket | Address | Inherited


def place_of(text: str) -> Place:
    """The address that ``unix:///path`` or ``tcp://host:port`` names.

    Raises:
        ValueError: it has neither form; says what it must be.
    """
    scheme, separator, rest = text.partition("://")
    if separator and scheme == "unix" and rest.startswith("/"):
        return UnixSocket(Path(rest))
    if separator and scheme == "tcp" and rest:
        return address_of(_DEFAULT_PORT)(rest)
    raise ValueError("must be unix:///path or tcp://host:port, as in unix:///run/otel-arthur.sock")


def listening(place: Place) -> socket.socket:
    """A socket that listens there.

    Raises:
        OSError: the place cannot be had.
    """
    if isinstance(place, Address):
        return listener(place)
    try:
        made = _inherited(place) if isinstance(place, Inherited) else _unix(place.path)
    except OSError as error:
        raise OSError(error.errno, f"cannot listen on {place} ({error.strerror or error})") from None
    made.setblocking(False)
    return made


def _inherited(place: Inherited) -> socket.socket:
    # A copy: the end of listening closes this one, and the parent's socket stays for the next core.
    return socket.socket(fileno=os.dup(place.descriptor))


def _unix(path: Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        _remove_abandoned(path)
        made.bind(str(path))
        path.chmod(_MODE)
        made.listen(BACKLOG)
    except BaseException:
        made.close()
        raise
    return made


def _remove_abandoned(path: Path) -> None:
    """Remove a socket that a killed core left. Raises OSError where somebody listens on it."""
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.stat().st_mode):
            raise OSError(errno.EEXIST, "there is a file that is no socket")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as asking:
            try:
                asking.connect(str(path))
            except ConnectionRefusedError:
                path.unlink()
            else:
                raise OSError(errno.EADDRINUSE, "another core listens there")
