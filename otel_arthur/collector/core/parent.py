"""The pipe from the core's parent: the configuration comes on it, and its end is the end of the parent."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable

from otel_arthur.collector.configuration.document import ConfigurationError

_PIECE = 64 * 1024
_MAX_BYTES = 16 * 1024 * 1024


class Parent:
    """A pipe whose other end the parent keeps open for as long as it lives.

    Its first line is the configuration. So no secret stands on a command line, in the environment or in a
    file, and a parent that is killed is missed at once.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def configuration(self) -> str:
        """The configuration: YAML on one line.

        Raises:
            ConfigurationError: the parent closed the pipe, or there is none.
        """
        read = bytearray()
        while b"\n" not in read and len(read) < _MAX_BYTES:
            try:
                piece = os.read(self._descriptor, _PIECE)
            except OSError as error:
                raise ConfigurationError([f"descriptor {self._descriptor}: {error.strerror}"]) from None
            if not piece:
                raise ConfigurationError(
                    [f"descriptor {self._descriptor} ended before the configuration did"]
                )
            read += piece
        return read.partition(b"\n")[0].decode("utf-8", "replace")

    def watch(self, ended: Callable[[], None], seconds: float) -> None:
        """Call `ended` from a thread once the parent is no more.

        Args:
            seconds: what this process may live on after that.
        """
        threading.Thread(
            target=self._watch, args=(ended, seconds), name="otel-arthur-parent", daemon=True
        ).start()

    def _watch(self, ended: Callable[[], None], seconds: float) -> None:
        while os.read(self._descriptor, _PIECE):
            pass
        ended()
        time.sleep(seconds)
        os._exit(1)
