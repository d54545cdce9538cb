"""Forks: holders of locks, connections or threads are called before and after.

Without forks (Windows), nobody is ever called.
"""

from __future__ import annotations

# Before any tracer provider is made: in a forked child the provider makes its resource anew, with an
# executor. A child gets the executors' lock back in the order of imports: later, the provider would hang.
import concurrent.futures.thread  # noqa: F401  # pyright: ignore[reportUnusedImport]
import os
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Final, Protocol
from weakref import WeakSet


class Forking(Protocol):
    """Something that a fork must not meet at work."""

    def before_fork(self) -> None: ...
    def after_fork_in_parent(self) -> None: ...
    def after_fork_in_child(self) -> None: ...


FORK_SECONDS: Final = 5.0
"""A fork waits for no lock longer than this."""
_watched: WeakSet[Forking] = WeakSet()
_before: list[Callable[[], None]] = []
_in_child: list[Callable[[], None]] = []
_at_work = threading.RLock()
_one_at_a_time = threading.RLock()
"""Held by a thread that forks, from before its fork until after: who is called keeps state for one fork."""


class _Fork:
    """One fork under way."""

    def __init__(self) -> None:
        self.held: list[threading.RLock] = []
        """Locks to release in the parent, the first one last."""
        self.told: list[Forking] = []
        """Those that were called before."""


class _OfThread(threading.local):
    """The forks of a thread: a signal's handler may fork in the middle of another fork."""

    def __init__(self) -> None:
        self.forks: list[_Fork] = []


_of_thread = _OfThread()


def watch(forking: Forking) -> None:
    """Tell `forking` of each fork, as long as it lives."""
    _watched.add(forking)


def before(function: Callable[[], None]) -> None:
    """Call `function` before each fork."""
    _before.append(function)


def in_child(function: Callable[[], None]) -> None:
    """Call `function` in each forked child, first of all."""
    _in_child.append(function)


@contextmanager
def held_off() -> Generator[None, None, None]:
    """A fork waits until this work is done. In the child the thread that works would be gone, and the locks
    that a C library takes for the work would never open."""
    with _at_work:
        yield


def _before_fork() -> None:
    fork = _Fork()
    _of_thread.forks.append(fork)
    # Without a limit: each fork that is under way waits for no lock longer than `FORK_SECONDS`.
    _one_at_a_time.acquire()
    fork.held.append(_one_at_a_time)
    for function in _before:
        function()
    if _at_work.acquire(timeout=FORK_SECONDS):
        fork.held.append(_at_work)
    for forking in list(_watched):
        fork.told.append(forking)
        forking.before_fork()


def _after_fork_in_parent() -> None:
    fork = _of_thread.forks.pop()
    while fork.told:
        fork.told.pop().after_fork_in_parent()
    while fork.held:
        fork.held.pop().release()


def _after_fork_in_child() -> None:
    global _at_work, _one_at_a_time
    _at_work, _one_at_a_time = threading.RLock(), threading.RLock()
    fork = _of_thread.forks.pop()
    for function in _in_child:
        function()
    while fork.told:
        fork.told.pop().after_fork_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child
    )
