"""What a delivery lives through: forks, the end of the interpreter, SIGTERM."""

from __future__ import annotations

import atexit
import os
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType
from typing import Protocol
from weakref import WeakSet

from otel_arthur.delivery import owners, pool_children

EXIT_SECONDS = 5.0
"""What an exit may take where nobody called `shutdown`."""


class Living(Protocol):
    """What is told of the process's life."""

    def at_exit(self, timeout: float) -> None: ...
    def before_fork(self) -> None: ...
    def after_fork_in_parent(self) -> None: ...
    def after_fork_in_child(self) -> None: ...


_living: WeakSet[Living] = WeakSet()
_forking: list[Living] = []
_is_watching = False


def watch(living: Living) -> None:
    """Tell `living` of forks and of the interpreter's end, as long as it lives."""
    global _is_watching
    _living.add(living)
    # Where the exporter is made in the child itself, as Celery's `worker_process_init` does, no fork follows.
    pool_children.watch(_farewell)
    if not _is_watching:
        _is_watching = True
        atexit.register(_at_exit)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(
                before=_before_fork,
                after_in_parent=_after_fork_in_parent,
                after_in_child=_after_fork_in_child,
            )


def flush_on_sigterm() -> bool:
    """Shut the tracer provider down at SIGTERM, then end as the signal says. For plain scripts.

    Never called by the exporter: what was exported is on disk by then, and how a process ends is the
    application's business. Our distro calls it, which is asked for by name. Without it, a process killed
    by SIGTERM loses what the batch processor has not exported yet (up to 5 seconds of spans). uvicorn is
    such a process: it ends its work in order, then restores the handler that it found, and raises the
    signal once more. Does nothing where somebody handles the signal already, as gunicorn and celery do,
    or outside the main thread. Returns whether it was set.
    """
    if threading.current_thread() is not threading.main_thread():
        return False
    if signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        return False
    signal.signal(signal.SIGTERM, _terminate)
    return True


def _terminate(number: int, _frame: FrameType | None) -> None:
    _tell_provider("shutdown")
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)


def _farewell() -> None:
    """A child ends that runs no exit handlers: export what the processor has, and send it.

    Not a shutdown: a child that recorded nothing must not wait for what others could not send.
    """
    deadline = time.monotonic() + EXIT_SECONDS
    _tell_provider("force_flush")
    _at_exit(max(deadline - time.monotonic(), 0.0))


def _tell_provider(name: str) -> None:
    """Call a method of the tracer provider in force, for at most `EXIT_SECONDS`."""
    from opentelemetry import trace

    method: Callable[[], object] | None = getattr(trace.get_tracer_provider(), name, None)
    if method is not None:
        # In a thread of its own, as the interrupted one may hold the very lock that is needed.
        thread = threading.Thread(target=method, daemon=True)
        thread.start()
        thread.join(EXIT_SECONDS)


def _at_exit(timeout: float = EXIT_SECONDS) -> None:
    for living in list(_living):
        living.at_exit(timeout)


def _before_fork() -> None:
    pool_children.watch(_farewell)
    _forking[:] = _living
    for living in _forking:
        living.before_fork()


def _after_fork_in_parent() -> None:
    while _forking:
        _forking.pop().after_fork_in_parent()


def _after_fork_in_child() -> None:
    owners.forget_after_fork()
    while _forking:
        _forking.pop().after_fork_in_child()
