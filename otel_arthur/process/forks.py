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
_forking: list[Forking] = []
_before: list[Callable[[], None]] = []
_in_child: list[Callable[[], None]] = []
_at_work = threading.RLock()
_is_held = False


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
    global _is_held
    for function in _before:
        function()
    _is_held = _at_work.acquire(timeout=FORK_SECONDS)
    _forking[:] = _watched
    for forking in _forking:
        forking.before_fork()


def _after_fork_in_parent() -> None:
    if _is_held:
        _at_work.release()
    while _forking:
        _forking.pop().after_fork_in_parent()


def _after_fork_in_child() -> None:
    global _at_work
    _at_work = threading.RLock()
    for function in _in_child:
        function()
    while _forking:
        _forking.pop().after_fork_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(
        before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child
    )
