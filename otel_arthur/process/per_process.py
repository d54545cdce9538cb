"""`PerProcess`: the one way in which this package keeps a value that a forked child must not inherit."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class PerProcess(Generic[T]):
    """A value that each process makes for itself when it first asks.

    Takes no lock: a lock held by another thread at a fork would never open in the child. Of threads that
    ask first together, all get the same value. A parent's value is kept and never touched by a child: its
    locks may be held, its connections are the parent's.

    Args:
        make: makes the value of a process.
    """

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._values: dict[int, T] = {}

    def get(self) -> T:
        """This process's value."""
        pid = os.getpid()
        value = self._values.get(pid)
        return value if value is not None else self._values.setdefault(pid, self._make())

    def drop(self) -> T | None:
        """Forget this process's value, and return it to be closed; the next `get` makes a new one."""
        return self._values.pop(os.getpid(), None)

    @property
    def is_inherited(self) -> bool:
        """Whether a parent had a value, and this process has none yet."""
        return bool(self._values) and os.getpid() not in self._values
