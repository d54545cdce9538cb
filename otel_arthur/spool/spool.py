"""The spool: records that no target has accepted yet, shared by threads, processes and restarts.

The one door to this room. `docs/spool.md` describes format, keys and syncing.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from otel_arthur.spool.clock import Clock
from otel_arthur.spool.disk.keys import KeyLimits
from otel_arthur.spool.disk.store import Store
from otel_arthur.spool.queue import appending, duplicate_window, leases, looks, moving, precedence, watching
from otel_arthur.spool.upkeep import ages, confirmation, dead_letters, status

_P = ParamSpec("_P")
_T = TypeVar("_T")


def _part(
    part: Callable[Concatenate[Store, _P], _T], heal: Callable[[Store, Callable[[], _T]], _T]
) -> Callable[Concatenate[Spool, _P], _T]:
    """A part of this room as a method of the spool.

    Args:
        part: called once more where `heal` has mended the disk, so no argument may be an iterator.
        heal: `Store.repaired`; `Store.ensured` for what makes the spool smaller; `_as_it_is` for what heals
            inside, or needs no disk.
    """

    @wraps(part)
    def method(self: Spool, *arguments: _P.args, **named: _P.kwargs) -> _T:
        return heal(self.store, lambda: part(self.store, *arguments, **named))

    return method


def _as_it_is(_: Store, operation: Callable[[], _T]) -> _T:
    return operation()


class Spool:
    """See the module. Safe to use from any thread, and from a forked child after `after_fork_in_child`.

    Each method is a part of this room, and described there. Each mends a damaged database and makes room on a
    full disk by itself, as far as that can be done. Where it cannot, each raises sqlite3.Error, OSError or
    SpoolError. A transaction is whole or was none; `move` has two of them.

    Args:
        folder: None keeps everything in memory.
        max_bytes: of rows; what does not fit is refused.
        key_limits: how many keys are remembered.
        clock: the machine's, if no other.

    Raises:
        SpoolError, OSError, sqlite3.Error: the folder or its database cannot be used.
    """

    def __init__(
        self,
        folder: Path | None,
        max_bytes: int,
        key_limits: KeyLimits | None = None,
        clock: Clock | None = None,
    ) -> None:
        self._store = store = Store(folder, max_bytes, key_limits, clock)
        store.ensured(lambda: store.index.read("SELECT count(*) FROM batches"))
        with contextlib.suppress(sqlite3.Error, OSError):  # the next upkeep does it
            ages.follow_clock(store)
        store.check()
        store.reserve.make()

    @property
    def store(self) -> Store:
        """For the parts of this room."""
        return self._store

    @property
    def folder(self) -> Path | None:
        """None where all of it is in memory."""
        return self.store.folder

    @property
    def max_bytes(self) -> int:
        """The limit for rows that wait and dead letters."""
        return self.store.room.max_bytes

    # A row's way.
    append = _part(appending.append, Store.repaired)
    close_window = _part(duplicate_window.close_window, Store.ensured)
    lease = _part(leases.lease, Store.ensured)
    finish = _part(leases.finish, Store.ensured)
    move = _part(moving.move, _as_it_is)
    release = _part(moving.release, Store.ensured)

    # Which rows wait, and what becomes of them.
    waiting = _part(looks.waiting, Store.repaired)
    occupied = _part(looks.occupied, Store.repaired)
    left = _part(looks.left, Store.repaired)
    last_number = _part(looks.last_number, Store.repaired)
    bytes_used = _part(looks.bytes_used, Store.repaired)
    next_due = _part(looks.next_due, Store.repaired)
    can_be_tried = _part(looks.can_be_tried, Store.repaired)
    watch = _part(watching.Watch, _as_it_is)
    destination_of = _part(precedence.destination_of, Store.ensured)
    lost = _part(Store.lost, _as_it_is)

    # Destinations and counters.
    confirm = _part(confirmation.confirm, Store.ensured)
    destinations = _part(confirmation.destinations, Store.repaired)
    note_error = _part(leases.note_error, Store.ensured)
    count = _part(appending.count_all, Store.ensured)

    # For an operator.
    status = _part(status.status_of, Store.repaired)
    letters = _part(dead_letters.letters, _as_it_is)
    resend = _part(dead_letters.resend, Store.ensured)
    discard = _part(ages.discard, Store.ensured)
    tidy = _part(ages.tidy, Store.ensured)
    touch = _part(ages.touch, Store.ensured)

    # The process.
    close = _part(Store.close, _as_it_is)
    before_fork = _part(Store.before_fork, _as_it_is)
    after_fork_in_parent = _part(Store.after_fork_in_parent, _as_it_is)
    after_fork_in_child = _part(Store.after_fork_in_child, _as_it_is)
