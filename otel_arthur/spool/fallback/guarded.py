"""The spool on disk as `BackedSpool` asks it: where it is well, and not for a while after it failed."""

from __future__ import annotations

import contextlib
import logging
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Final, TypeVar

from otel_arthur.spool.bounded import Bounded
from otel_arthur.spool.disk.index.causes import is_busy, is_full
from otel_arthur.spool.disk.index.database import BUSY_SECONDS
from otel_arthur.spool.disk.index.holder import holder_of
from otel_arthur.spool.errors import FAULTS, SpoolError
from otel_arthur.spool.fallback import carrying
from otel_arthur.spool.folder import DATABASE_NAME, Place, absolute, settled
from otel_arthur.spool.spool import Spool

_logger = logging.getLogger("otel_arthur")
_T = TypeVar("_T")

RETRY_SECONDS: Final = 5.0
"""After the disk failed it is left alone so long: nobody waits for it at each call."""
HANG_SECONDS: Final = BUSY_SECONDS + 1.0
"""A disk that does not answer for longer hangs. Another process's lock is reported earlier."""
QUIET_SECONDS: Final = 600.0
"""Seconds for which one cause is not said again."""


class _Thread(threading.local):
    """What one thread wants of the disk."""

    insists = False


class GuardedDisk:
    """Opens the spool of a configured folder, keeps what it fails with, and says each cause once.

    Args:
        folder: as configured; a relative one is resolved when the process first uses it.
        opened: makes the spool in a folder.
    """

    def __init__(self, folder: Path, opened: Callable[[Path], Spool]) -> None:
        self._configured = folder
        self._make = opened
        self._place: Place | None = None
        self._user = _user()
        self.spool: Spool | None = None
        """None where it was never opened."""
        self.left_behind: Path | None = None
        """A folder with calls that this process may no longer use: the process gave privileges up."""
        self._opening = threading.Lock()
        self._bounded = Bounded()
        self._retry_at = 0.0
        self._full_until = 0.0
        self._thread = _Thread()
        self.why = ""
        """The disk's last failure, while the failure lasts."""
        self.last_failure = ""
        self._seen: dict[str, float] = {}

    @property
    def folder(self) -> Path:
        """Where the spool lies, as far as is known."""
        return self._configured if self._place is None else self._place.folder

    @property
    def is_well(self) -> bool:
        """Whether the disk's last operation worked; for a thread that insists, the last of its own."""
        return not self.why or self._thread.insists

    def ask(
        self,
        operation: Callable[[Spool], _T],
        otherwise: _T,
        seconds: float | None = None,
        late: Callable[[_T], None] = lambda _done: None,
        instead: Callable[[], None] = lambda: None,
        *,
        grows: bool = False,
    ) -> _T:
        """The result on the disk; `otherwise` where the disk fails, or failed not long ago.

        Args:
            seconds: wait so long at most, as a sync may hang; None for threads that may hang with it.
            late: called with the result where the operation ends after the wait.
            instead: called where the wait ends without a result, before `late`.
            grows: the operation needs room. Only such operations leave a full disk alone: the others make
                room.
        """
        is_left_alone = time.monotonic() < max(self._retry_at, self._full_until * grows)
        insists = self._thread.insists
        if (is_left_alone and not insists) or self._bounded.is_stuck:
            self._thread.insists = False
            return otherwise
        try:
            if seconds is None:
                done = operation(self._opened())
            else:
                done = self._bounded.run(lambda: operation(self._opened()), seconds, late, instead)
        except Exception as error:  # what somebody changed in the index may have anything raised
            self._thread.insists = False
            self._rest(error, is_full=grows and is_full(error))
            return otherwise
        if self.why and (insists or time.monotonic() >= self._retry_at):
            # A thread that does not insist leaves what another has just seen fail.
            self.why, self._retry_at = "", 0.0
        return done

    @contextlib.contextmanager
    def insisting(self) -> Generator[None, None, None]:
        """Inside, this thread asks the disk even if the disk failed for others. Its own failure ends that."""
        self._thread.insists = True
        try:
            yield
        finally:
            self._thread.insists = False

    def empty_outer(self) -> None:
        """Take over what waits in the configured folder itself, of a time when the spool lay there."""
        if self.spool is not None and self._place is not None:
            carrying.empty(self._place, self.spool)

    def close(self) -> None:
        """Close it, if the disk lets us: a last sync may hang."""
        if (spool := self.spool) is not None and not self._bounded.is_stuck:
            with contextlib.suppress(Exception):
                self._bounded.run(spool.close, HANG_SECONDS, lambda _none: None, lambda: None)

    def after_fork_in_child(self) -> bool:
        """Leave leases to the parent; False where the disk cannot be used here."""
        self._opening = threading.Lock()
        self._bounded = Bounded()
        return self.spool is None or self.spool.after_fork_in_child()

    def _opened(self) -> Spool:
        with self._opening:
            if self.spool is None:
                self._user = _user()
                self._place = settled(absolute(self._configured))
                self.spool = self._make(self._place.folder)
            return self.spool

    def _rest(self, error: BaseException, *, is_full: bool) -> None:
        now = time.monotonic()
        if is_full:
            self._full_until = now + RETRY_SECONDS
        else:
            self._retry_at = now + RETRY_SECONDS
        if isinstance(error, FAULTS):
            self.why = str(error) or type(error).__name__
        else:  # its words are Python's
            self.why = f"what it holds cannot be worked with: {type(error).__name__}"
        if is_busy(error) and (holder := holder_of(self.folder / DATABASE_NAME)):
            self.why = f"{error}, by {holder}"
        self.last_failure = self.why
        if _user() != self._user:
            # The process gave privileges up: another folder may be its own now.
            if self.spool is not None:
                self.left_behind = self.spool.folder
            self.spool = None
        cause = _cause(error)
        is_news = now - self._seen.get(cause, -QUIET_SECONDS) >= QUIET_SECONDS
        self._seen[cause] = now
        if is_news:
            _logger.warning(
                "otel-arthur: the spool in %s cannot be used now (%s); inferences are kept in memory and "
                "sent from there, and the spool is tried again",
                self.folder,
                self.why,
            )


def _cause(error: BaseException) -> str:
    """A text that errors of one cause share: names of files are left out."""
    if isinstance(error, OSError) and error.errno is not None:
        return f"errno {error.errno}"
    return str(error) if isinstance(error, (sqlite3.Error, SpoolError)) else type(error).__name__


def _user() -> int:
    return os.geteuid() if hasattr(os, "geteuid") else 0
