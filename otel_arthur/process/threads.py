"""Threads of ours, of one kind with our locks: also where gevent patches a process that uses us already.

A server does this in its workers (``gunicorn --worker-class gevent``) after ``opentelemetry-instrument`` has
made the exporter. `threading` makes greenlets from then on, and a greenlet runs only while its own thread
waits in gevent's way. The batch processor's thread waits in the kernel, and so do our older locks: what was
handed to a greenlet there would never be done, or would hold the whole application up. So the threads that
the process had when this module was imported are the ones that it starts.

Read from: gevent 26.9 (``monkey.patch_thread`` replaces ``_thread.start_new_thread``; its locks may be waited
for in other threads, its sockets may not; its `Hub` runs the handlers of signals, and cannot wait).
"""

from __future__ import annotations

import _thread
import sys
import threading
from collections.abc import Callable
from typing import Any, Final

_start: Final = _thread.start_new_thread
_number: Final = _thread.get_ident


def thread_of(work: Callable[[], object], name: str) -> threading.Thread:
    """A thread that no end of the process waits for, not started yet."""
    made = _Kept if _is_patched() else threading.Thread
    return made(target=work, name=name, daemon=True)


def timer_of(seconds: float, work: Callable[[], object], name: str) -> threading.Timer:
    """As `thread_of`, for work that is done in so many seconds."""
    made = _KeptTimer if _is_patched() else threading.Timer
    timer = made(interval=seconds, function=work)
    timer.name, timer.daemon = name, True
    return timer


def owner_of_sockets() -> int:
    """A number that is one for all threads that may use the same connections."""
    return _number() if _is_patched() else 0


def later(work: Callable[[], object]) -> bool:
    """Where nothing may wait, as in the loop that runs greenlets, have a greenlet do it; whether so."""
    if not _is_in_hub():
        return False
    _thread.start_new_thread(work, ())
    return True


def _is_in_hub() -> bool:
    gevent: Any = sys.modules.get("gevent")
    if gevent is None or _thread.start_new_thread.__module__ != "gevent.thread":
        return False
    return isinstance(gevent.getcurrent(), gevent.hub.Hub)


def _is_patched() -> bool:
    return _thread.start_new_thread is not _start


class _Kept(threading.Thread):
    """A thread as before the patch. `threading` does not list it, since nothing of its start is used."""

    def __init__(self, **described: Any) -> None:
        super().__init__(**described)
        self._was_started = False
        self._has_ended = threading.Event()

    def start(self) -> None:
        _start(self._work, ())
        self._was_started = True

    def is_alive(self) -> bool:
        return self._was_started and not self._has_ended.is_set()

    def join(self, timeout: float | None = None) -> None:
        self._has_ended.wait(timeout)

    def _work(self) -> None:
        try:
            self.run()
        finally:
            self._has_ended.set()


class _KeptTimer(_Kept, threading.Timer):
    def run(self) -> None:
        try:
            super().run()
        finally:
            # A loop that gevent has made for this thread keeps descriptors, and timers come again and again.
            get_hub: Any = getattr(sys.modules.get("gevent"), "get_hub", None)
            if get_hub is not None:
                get_hub().destroy(destroy_loop=True)
