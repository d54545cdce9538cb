"""Keys of what this process added last, so that a live application need not ask the index."""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable
from pathlib import Path
from weakref import WeakValueDictionary


class Latest:
    """Keys of calls that this process added last, `limit` to twice as many. Used under `lock`.

    A call that ended after all of those that are no longer here was never added, unless it is still here.
    So for what an application has just done the tables need not be asked.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self.lock = threading.RLock()
        self._current: set[int] = set()
        self._before: set[int] = set()
        # The latest end of a call among the current, those before, and those that are here no more.
        self._ends = [0, 0, 0]

    def knows_all_since(self, end_ns: int) -> bool:
        """Whether each call that ended at or after `end_ns`, and that was added, is here."""
        return end_ns > self._ends[2]

    def known(self, keys: Collection[int]) -> set[int]:
        """Those of `keys` that were added not long ago."""
        return self._current.intersection(keys) | self._before.intersection(keys)

    def add(self, keys: Iterable[int], end_ns: int) -> None:
        """Remember keys of calls of which the last ended at `end_ns`."""
        if len(self._current) >= self._limit:
            self._before, self._current = self._current, set()
            current, before, gone = self._ends
            self._ends = [0, current, max(before, gone)]
        self._current.update(keys)
        self._ends[0] = max(self._ends[0], end_ns)

    def clear(self) -> None:
        """The spool begins anew, and so does this."""
        with self.lock:
            self._current, self._before = set(), set()
            self._ends = [0, 0, 0]


_latest: WeakValueDictionary[Path, Latest] = WeakValueDictionary()


def latest_of(folder: Path | None, limit: int) -> Latest:
    """The keys that this process added last to the spool in a folder, whichever of its exporters did."""
    return Latest(limit) if folder is None else _latest.setdefault(folder.resolve(), Latest(limit))
