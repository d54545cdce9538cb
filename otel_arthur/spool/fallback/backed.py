"""A spool that works without its disk: memory takes the rows that the disk refuses.

Memory is bounded. Rows in memory go to their target from there, or to the disk once the disk takes them.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final, TypeVar

from otel_arthur.spool.batches import Appended, Batch, BatchOutcome, NewBatch
from otel_arthur.spool.clock import Clock
from otel_arthur.spool.destination import Destination
from otel_arthur.spool.disk.index.database import BUSY_SECONDS
from otel_arthur.spool.disk.losses import Lost
from otel_arthur.spool.disk.store import Store
from otel_arthur.spool.errors import SpoolError
from otel_arthur.spool.fallback import carrying
from otel_arthur.spool.fallback.both import Both
from otel_arthur.spool.fallback.guarded import HANG_SECONDS, GuardedDisk
from otel_arthur.spool.queue import duplicate_window, leases, moving, watching
from otel_arthur.spool.spool import Spool

_T = TypeVar("_T")

MEMORY_BYTES: Final = 64 * 1024 * 1024


class BackedSpool(Both):
    """As `Spool`, which says what each method does, but nothing fails because the disk fails.

    Args:
        folder: None keeps everything in memory, up to `max_bytes`.
    """

    def __init__(self, folder: Path | None, max_bytes: int, clock: Clock | None = None) -> None:
        self._limit = max_bytes
        in_memory = max_bytes if folder is None else min(max_bytes, MEMORY_BYTES)
        self._memory = Spool(None, in_memory, clock=clock)
        self._has_memory = folder is None
        self._is_turn_of_disk = False
        self._carrying = threading.Lock()
        self._keeping = threading.Lock()
        self._crossing = carrying.Crossing()
        self._unrecorded: list[BatchOutcome] = []
        self._disk: GuardedDisk | None = None
        if folder is not None:
            self._disk = GuardedDisk(folder, lambda place: Spool(place, max_bytes, clock=clock))
            self._disk.ask(lambda _disk: None, None, HANG_SECONDS)

    @property
    def store(self) -> Store:
        """For what a person asks: the disk's store where the disk can be used, else memory's."""
        return (self._on_disk(lambda disk: disk, None, HANG_SECONDS) or self._memory).store

    @property
    def folder(self) -> Path | None:
        """None where all of it is in memory by configuration."""
        return None if self._disk is None else self._disk.folder

    @property
    def max_bytes(self) -> int:
        return self._limit

    @property
    def is_disk_well(self) -> bool:
        """Whether the disk's last operation worked. A disk that was never opened holds nothing of ours."""
        disk = self._disk
        return disk is None or disk.is_well or (disk.spool is None and disk.left_behind is None)

    @property
    def trouble(self) -> str:
        """Why rows go to memory, or still wait there, instead of the disk; else empty."""
        return f"the spool in {self.folder} cannot be used ({self.why})" if self.why else ""

    @property
    def why(self) -> str:
        """The disk's last failure, as long as it lasts, or as long as rows wait in memory because of it."""
        disk = self._disk
        return "" if disk is None or (disk.is_well and not self._has_memory) else disk.last_failure

    @property
    def out_of_sight(self) -> str:
        """Where rows lie that cannot be counted now, and why; empty without such rows."""
        disk = self._disk
        if disk is None or (self.is_disk_well and disk.left_behind is None):
            return ""
        if disk.left_behind is not None:
            return f"{disk.left_behind}, which this process may not use since it changed its user"
        return f"{disk.folder}, which cannot be read now ({disk.why})"

    @property
    def unreadable(self) -> str:
        """Why the last look could not read the rows that wait; empty where it could."""
        whys = (why for one in self._opened() for why in list(one.store.unreadable.values()))
        return "; ".join(dict.fromkeys(whys))

    def insisting(self) -> AbstractContextManager[None]:
        """Inside, the disk is asked though it failed not long ago: somebody wants to know which rows wait."""
        return nullcontext() if self._disk is None else self._disk.insisting()

    def left_in_memory(self, destinations: Collection[int]) -> dict[tuple[int, int], int]:
        """How many of the rows `left` are not on disk, though a disk is configured."""
        return self._memory.left(destinations) if self._has_memory and self._disk is not None else {}

    def give_up_memory(self) -> int:
        """Forget the rows that the disk did not take; returns how many."""
        lost = self.rows_in_memory()
        if lost:
            self._memory.close()
        return lost

    def rows_in_memory(self) -> int:
        """Rows that a kill would lose; 0 where no disk is configured."""
        return carrying.rows(self._memory) if self._has_memory and self._disk is not None else 0

    def append(self, destination: Destination, batch: NewBatch) -> Appended:
        """Add rows: durably where the disk takes them, else in memory."""
        return self.keep(destination, batch)[0]

    def keep(self, destination: Destination, batch: NewBatch) -> tuple[Appended, int]:
        """As `append`, and how many of the rows are in memory only."""
        if self._disk is None:
            return self._memory.append(destination, batch), 0
        kept: list[Appended] = []

        def keep() -> None:
            with self._keeping:
                self._has_memory = True
                kept.append(self._memory.append(destination, batch))

        appended = self._disk.ask(
            lambda disk: disk.append(destination, batch),
            None,
            HANG_SECONDS,
            late=lambda _appended: carrying.forget_one(self._memory, self._opened(), destination, batch),
            instead=keep,
            grows=True,
        )
        if appended is not None:
            return appended, 0
        if not kept:
            keep()
        # Rows that memory knew came earlier, and may wait there still.
        return kept[0], kept[0].new + (kept[0].known if carrying.rows(self._memory) else 0)

    def recover(self, seconds: float | None = None) -> None:
        """Move rows from memory to a disk that works again, and record late outcomes, within `seconds`."""
        if self._disk is None or not (self._has_memory or self._unrecorded):
            return
        if not self._carrying.acquire(blocking=False):
            return
        try:
            outcomes = list(self._unrecorded)
            if outcomes and self._on_disk(lambda disk: disk.finish(outcomes), None, seconds) is not None:
                del self._unrecorded[: len(outcomes)]
            carry = partial(carrying.carry, self._memory, crossing=self._crossing)
            if self._disk.ask(carry, None, seconds, grows=True) == 0:
                with self._keeping:
                    self._has_memory = carrying.rows(self._memory) > 0
        finally:
            self._carrying.release()

    def count(self, counts: Mapping[tuple[str, str], int], patience: float = BUSY_SECONDS) -> None:
        """As `Spool.count`; raises where the disk does not take it now."""
        if self._disk is None:
            self._memory.count(counts, patience)
            return
        seconds = patience + HANG_SECONDS
        if not self._on_disk(lambda disk: disk.count(counts, patience) or True, False, seconds):
            raise SpoolError(self.why)

    def lease(self, destination: int, kind: int, terms: leases.Terms) -> list[Batch]:
        """The oldest batches that are due, from memory and disk by turns, so that neither waits for the
        other."""
        self._is_turn_of_disk = not self._is_turn_of_disk
        nothing: list[Batch] = []
        for is_of_disk in (self._is_turn_of_disk, not self._is_turn_of_disk):
            if is_of_disk:
                found = self._on_disk(lambda disk: disk.lease(destination, kind, terms), nothing)
            elif self._has_memory:
                leased = self._memory.lease(destination, kind, terms)
                found = [replace(batch, in_memory=True) for batch in leased]
            else:
                found = nothing
            if found:
                return found
        return nothing

    def finish(self, outcomes: Sequence[BatchOutcome]) -> list[BatchOutcome]:
        """Record outcomes where the batches came from; later, where the disk takes none now."""
        kept = [outcome for outcome in outcomes if outcome.batch.in_memory]
        others = [outcome for outcome in outcomes if not outcome.batch.in_memory]
        recorded = self._memory.finish(kept) if kept else []
        if others:
            on_disk = self._on_disk(lambda disk: disk.finish(others), None, HANG_SECONDS)
            if on_disk is None:
                # Nothing more is leased from a disk that records nothing, so these outcomes are few.
                self._unrecorded += others
            recorded += others if on_disk is None else on_disk
        return recorded

    def close_window(
        self, destination: int, window: float, judge: duplicate_window.Judge, *, at_once: bool = False
    ) -> int:
        """Decide about the duplicates in memory and on the disk, each by itself."""
        closed = self._both(
            lambda one: one.close_window(destination, window, judge, at_once=at_once), HANG_SECONDS
        )
        return sum(closed)

    def move(self, source: Destination, target_of: moving.TargetOf, doubt: float = 0.0) -> int:
        """Move the rows of `source` that are due, of memory and of the disk."""
        return sum(self._both(lambda one: one.move(source, target_of, doubt)))

    def release(self, destination: int) -> None:
        self._both(lambda one: one.release(destination))

    def confirm(self, destination: Destination, organization: str) -> list[Destination]:
        return [d for found in self._both(lambda one: one.confirm(destination, organization)) for d in found]

    def note_error(self, destination: int, error: str | None) -> None:
        self._both(lambda one: one.note_error(destination, error), HANG_SECONDS)

    def watch(self) -> watching.Watch:
        return self._on_disk(lambda disk: disk.watch(), None, HANG_SECONDS) or self._memory.watch()

    def tidy(self, max_age: float | None) -> int:
        """Give up what is older than `max_age` seconds, and delete what dead processes left behind."""
        if self._disk is not None:
            self._on_disk(lambda _disk: self._disk and self._disk.empty_outer(), None)
        return sum(self._both(lambda one: one.tidy(max_age)))

    def lost(self) -> Lost:
        """Rows that are gone from the disk since the last call; none while the disk fails."""
        opened = self._opened()
        return opened[0].lost() if opened and self.is_disk_well else Lost({}, None)

    def close(self) -> None:
        """Close the database. What is in memory stays until this object is gone."""
        if self._disk is not None:
            self._disk.close()

    def before_fork(self) -> None:
        self._memory.before_fork()
        for one in self._opened():
            one.before_fork()

    def after_fork_in_parent(self) -> None:
        for one in self._opened():
            one.after_fork_in_parent()
        self._memory.after_fork_in_parent()

    def after_fork_in_child(self) -> bool:
        self._carrying, self._keeping = threading.Lock(), threading.Lock()
        self._crossing, self._unrecorded = carrying.Crossing(), []
        self._memory.after_fork_in_child()
        self._has_memory = self._disk is None
        return self._disk is None or self._disk.after_fork_in_child()

    def _opened(self) -> Sequence[Spool]:
        return () if self._disk is None or self._disk.spool is None else (self._disk.spool,)

    def _look(self, ask: Callable[[Spool], _T]) -> list[_T]:
        with self._crossing.look(HANG_SECONDS) if self._has_memory else nullcontext():
            return self._both(ask, HANG_SECONDS)

    def _both(self, ask: Callable[[Spool], _T], seconds: float | None = None) -> list[_T]:
        found = [ask(self._memory)] if self._has_memory else []
        nothing: list[_T] = []
        return found + self._on_disk(lambda disk: [ask(disk)], nothing, seconds)

    def _on_disk(self, operation: Callable[[Spool], _T], otherwise: _T, seconds: float | None = None) -> _T:
        """The result on the disk; `otherwise` without a disk, or where the disk fails or failed not long
        ago."""
        return otherwise if self._disk is None else self._disk.ask(operation, otherwise, seconds)
