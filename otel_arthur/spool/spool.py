"""The spool: records that no target has accepted yet, shared by threads, processes and restarts.

The one door to this room. `docs/spool.md` describes format, keys and syncing.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from otel_arthur.spool.batches import Appended, Batch, BatchOutcome, NewBatch
from otel_arthur.spool.clock import Clock
from otel_arthur.spool.destination import Destination
from otel_arthur.spool.disk import room
from otel_arthur.spool.disk.index.database import BUSY_SECONDS
from otel_arthur.spool.disk.keys import KeyLimits
from otel_arthur.spool.disk.losses import Lost
from otel_arthur.spool.disk.room import USED
from otel_arthur.spool.disk.store import Store, listed
from otel_arthur.spool.queue import appending, duplicate_window, leases, moving, precedence, waiting, watching
from otel_arthur.spool.upkeep import ages, confirmation, dead_letters, status


class Spool:
    """See the module. Safe to use from any thread, and from a forked child after `after_fork_in_child`.

    Each method mends a damaged database and makes room on a full disk by itself, as far as that can be
    done. Where it cannot, each raises sqlite3.Error, OSError or SpoolError, and nothing was changed.

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
        self._store = Store(folder, max_bytes, key_limits, clock)
        self._store.ensured(lambda: self._store.index.read("SELECT count(*) FROM batches"))
        with contextlib.suppress(sqlite3.Error, OSError):  # the next upkeep does it
            ages.follow_clock(self._store)
        self._store.check()
        self._store.reserve.make()

    @property
    def store(self) -> Store:
        """For the parts of this room."""
        return self._store

    @property
    def folder(self) -> Path | None:
        """None where all of it is in memory."""
        return self._store.folder

    @property
    def max_bytes(self) -> int:
        """The limit for rows that wait and dead letters."""
        return self._store.room.max_bytes

    def append(self, destination: Destination, batch: NewBatch) -> Appended:
        """Add rows durably. Those whose key is known already are left out."""
        return self._store.repaired(lambda: appending.append(self._store, destination, batch))

    def count(self, counts: Mapping[tuple[str, str], int], patience: float = BUSY_SECONDS) -> None:
        """Add what is no row to the counters, by outcome and reason, within `patience` seconds."""
        self._store.ensured(lambda: appending.count_all(self._store, counts, patience))

    def lease(self, destination: int, kind: int, terms: leases.Terms) -> list[Batch]:
        """The oldest batches of a destination that are due, now leased to us (see `leases.lease`)."""
        return self._store.ensured(lambda: leases.lease(self._store, destination, kind, terms))

    def finish(self, outcomes: Sequence[BatchOutcome]) -> list[BatchOutcome]:
        """Record the outcomes of leased batches; returns those that were recorded (see `leases.finish`)."""
        return self._store.ensured(lambda: leases.finish(self._store, outcomes))

    def close_window(
        self, destination: int, window: float, judge: duplicate_window.Judge, *, at_once: bool = False
    ) -> int:
        """Decide about the duplicates among what is held and due (see `duplicate_window.close_window`)."""
        return self._store.ensured(
            lambda: duplicate_window.close_window(self._store, destination, window, judge, at_once=at_once)
        )

    def destination_of(self, destinations: Sequence[int], identity: str, stem: int) -> int | None:
        """The destination that has or had a row of the first kind, as far as is remembered."""
        return self._store.ensured(
            lambda: precedence.destination_of(self._store, destinations, identity, stem)
        )

    def move(self, source: Destination, target_of: moving.TargetOf) -> int:
        """Move the rows of `source` that are due to where `target_of` says; returns how many were."""
        return moving.move(self._store, source, target_of)

    def release(self, destination: int) -> None:
        """Have all that waits for a destination due now, whatever it was postponed for."""
        self._store.ensured(lambda: moving.release(self._store, destination))

    def confirm(self, destination: Destination, organization: str) -> list[Destination]:
        """Remember a destination's organization; returns those of the same model under other keys."""
        return self._store.ensured(lambda: confirmation.confirm(self._store, destination, organization))

    def destinations(self) -> list[tuple[Destination, str | None]]:
        """All destinations ever seen, each with its organization as far as it was confirmed."""
        return self._store.repaired(lambda: confirmation.destinations(self._store))

    def note_error(self, destination: int, error: str | None) -> None:
        """Keep the last error of a destination for ``spool status``."""
        self._store.ensured(lambda: leases.note_error(self._store, destination, error))

    def waiting(self, destinations: Iterable[int], kind: int | None = None) -> int:
        """Rows of these destinations (of a kind) that wait, leased or not."""
        statement = f"SELECT ifnull(sum(rows), 0) FROM batches WHERE destination IN ({listed(destinations)})"
        return self._number(statement + ("" if kind is None else f" AND kind = {int(kind)}"))

    def occupied(
        self, destinations: Iterable[int], up_to: int | None = None, kind: int | None = None
    ) -> set[int]:
        """Those of these destinations for which anything of a kind waits, in batches up to a number."""
        statement = f"SELECT DISTINCT destination FROM batches WHERE destination IN ({listed(destinations)})"
        condition = "" if up_to is None else f" AND number <= {up_to}"
        condition += "" if kind is None else f" AND kind = {int(kind)}"
        found = self._store.repaired(lambda: self._store.index.read(statement + condition))
        return {number for (number,) in found}

    def left(self, destinations: Iterable[int], numbers: Iterable[int] = ()) -> dict[tuple[int, int], int]:
        """Rows by destination and kind that no other living process has taken to send them.

        Args:
            numbers: of batches; by default all.
        """
        return self._store.repaired(lambda: waiting.left(self._store, listed(destinations), listed(numbers)))

    def last_number(self) -> int:
        """The number of the newest batch there is."""
        return self._number("SELECT ifnull(max(number), 0) FROM batches")

    def bytes_used(self) -> int:
        """Bytes of the rows that wait and of the dead letters."""
        return self._number(USED)

    def next_due(
        self, destinations: Iterable[int], in_order: Collection[tuple[int, int]] = ()
    ) -> float | None:
        """Seconds until something may be leased that cannot be now; None when nothing waits.

        Args:
            in_order: destinations and kinds that have one sender at a time.
        """
        return self._store.repaired(lambda: waiting.next_due(self._store, listed(destinations), in_order))

    def can_be_tried(self, destinations: Iterable[int], seconds: float) -> bool:
        """Whether anything of these destinations is held, leased, due within `seconds`, or is gone."""
        return self._store.repaired(lambda: waiting.can_be_tried(self._store, listed(destinations), seconds))

    def watch(self) -> watching.Watch:
        """Follows certain records, from now on."""
        return watching.Watch(self._store)

    def status(self) -> status.Status:
        """The rows that wait, and the outcomes of earlier rows."""
        return self._store.repaired(lambda: status.status_of(self._store))

    def letters(self) -> Iterator[dead_letters.Letter]:
        """All dead letters, oldest first."""
        return dead_letters.letters(self._store)

    def resend(self, chosen: Sequence[dead_letters.Letter]) -> int:
        """Put dead letters back to be sent again; returns how many were still there."""
        return self._store.ensured(lambda: dead_letters.resend(self._store, chosen))

    def tidy(self, max_age: float | None) -> int:
        """Give up what is older than `max_age` seconds, and delete what dead processes left behind.

        Returns the number of records given up.
        """
        return self._store.ensured(lambda: ages.tidy(self._store, max_age))

    def discard(self, destinations: Iterable[int], *, letters: bool = False) -> int:
        """Give up what waits for these destinations, or delete their dead letters; returns how many."""
        chosen = list(destinations)
        act = ages.discard_letters if letters else ages.discard
        return self._store.ensured(lambda: act(self._store, chosen))

    def lost(self) -> Lost:
        """Rows that are gone from the spool since this was asked last: for the books."""
        return self._store.lost()

    def touch(self) -> None:
        """Raise what a write would, and change nothing: a disk that is read-only lets everybody read."""
        self._store.ensured(lambda: room.touch(self._store.index))

    def close(self) -> None:
        """Close the database. Later use opens it again; what was in memory only is gone."""
        self._store.close()

    def before_fork(self) -> None:
        """Nothing of SQLite may be at work while the process forks."""
        self._store.before_fork()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self._store.after_fork_in_parent()

    def after_fork_in_child(self) -> bool:
        """Leave leases and memory to the parent; False where the spool cannot be used here."""
        return self._store.after_fork_in_child()

    def _number(self, statement: str) -> int:
        return self._store.repaired(lambda: self._store.index.read(statement))[0][0]
