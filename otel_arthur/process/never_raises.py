"""`never_raises`: the one way in which a fault of ours stays ours. The host application is sacred."""

from __future__ import annotations

import logging
from types import TracebackType

_logger = logging.getLogger("otel_arthur")


class never_raises:
    """A block whose exceptions end here, with one line in the log. What stands behind the block goes on.

    ::

        with never_raises("a batch was not taken"):
            take(batch)
            return True
        return False

    Ctrl-C and the end of the interpreter are the application's, and pass.

    Args:
        says: what did not happen. The exception's type is added; its text may hold words of a prompt.
        level: of the log line. Debug where the line itself may come back as a log record, or where nothing
            is lost.
    """

    def __init__(self, says: str, level: int = logging.WARNING) -> None:
        self._says = says
        self._level = level

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        _logger.log(self._level, "otel-arthur: %s (%s)", self._says, type(error).__name__)
        return True
