"""The end of a process: calls that sit in memory go into the spool, and what is there goes to Arthur.

Ends that come here: the interpreter's exit, SIGTERM (`sigterm`), children that run no exit handler
(`children`), uvicorn's servers (`uvicorn_servers`).
"""

from __future__ import annotations

import atexit
import logging
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Protocol
from weakref import WeakSet

from otel_arthur.process import children, forks, uvicorn_servers
from otel_arthur.process.never_raises import never_raises
from otel_arthur.process.per_process import PerProcess
from otel_arthur.process.threads import thread_of

EXIT_SECONDS = 30.0
"""What an end may take at most by default, and only while Arthur takes rows."""

HAND_OVER_SECONDS = 5.0
"""Longer only where the thread that a signal interrupted holds a lock that is needed."""


class Recorder(Protocol):
    """Holds calls in memory that are not in the spool yet."""

    def hand_over(self) -> None:
        """Put them into the spool, without waiting for Arthur."""


class Sending(Protocol):
    """Sends from the spool."""

    @property
    def exit_seconds(self) -> float:
        """What its part of an end may take at most."""
        ...

    def at_exit(self, began: float) -> None:
        """Send while Arthur takes rows, for at most `exit_seconds` from `began` (monotonic)."""


class _Waits:
    """How this process waits for its end."""

    depth = 0
    """Waits that the main thread is in."""
    is_over = False
    """Ctrl-C ended a wait: no other one begins."""
    afterwards: Callable[[], None] | None = None


_recorders: WeakSet[Recorder] = WeakSet()
_sending: WeakSet[Sending] = WeakSet()
_waits: PerProcess[_Waits] = PerProcess(_Waits)


def watch_recorder(recorder: Recorder) -> None:
    """Have `recorder` hand over at each end of a process, as long as it lives."""
    _recorders.add(recorder)
    look_around()


def watch_sending(sending: Sending) -> None:
    """Have `sending` send at each end of a process, as long as it lives."""
    _sending.add(sending)
    look_around()


def look_around() -> None:
    """Notice libraries whose processes end in a way of their own. Cheap: call it whenever one may be new."""
    children.watch(farewell)
    uvicorn_servers.watch(farewell, interrupt, hand_over)


def farewell() -> None:
    """Hand over and send. The process may go on afterwards.

    Not a shutdown: a process that recorded nothing does not wait for what others could not send.
    """
    attend(_hand_over_and_send, is_last=True)
    if is_interpreter_ending():
        _keep_exit_status()


def hand_over() -> None:
    """Have all recorders put what they hold into the spool."""
    for recorder in list(_recorders):
        with never_raises("an exporter did not hand over", logging.DEBUG):
            recorder.hand_over()


def send() -> None:
    """Have what is in the spool sent."""
    began = time.monotonic()
    for sending in list(_sending):
        if not _waits.get().is_over:
            sending.at_exit(began)


def limit() -> float:
    """Seconds that an end may take at most."""
    return max((sending.exit_seconds for sending in list(_sending)), default=EXIT_SECONDS)


def attend(work: Callable[[], object], *, is_last: bool = False) -> None:
    """Run `work`, which waits for an end of the process.

    Ctrl-C ends this wait, and there is no other. Where the interpreter ends, or `is_last` says that no code
    of the application is interrupted, nobody hears of it; else it goes on to the application. What
    `when_free` was given meanwhile is done afterwards.
    """
    waits = _waits.get()
    is_main = threading.current_thread() is threading.main_thread()
    waits.depth += is_main
    try:
        work()
    except KeyboardInterrupt:
        if not is_last and not is_interpreter_ending():
            raise
        waits.is_over = True
    finally:
        waits.depth -= is_main
        if is_main and not waits.depth and waits.afterwards is not None:
            waits.afterwards()


def when_free(then: Callable[[], None]) -> bool:
    """Where the main thread waits in `attend`, have `then` called after that; whether it waits."""
    waits = _waits.get()
    if waits.depth:
        waits.afterwards = then
    return waits.depth > 0


def within(seconds: float, work: Callable[[], object]) -> bool:
    """Do it in a thread of its own, as the interrupted one may hold the very lock; whether it was done."""
    thread = thread_of(work, "otel-arthur-end")
    if not start(thread):
        work()
        return True
    thread.join(seconds)
    return not thread.is_alive()


def start(thread: threading.Thread) -> bool:
    """Start a thread; False at the interpreter's end, when Python 3.12 and later have no new ones."""
    try:
        thread.start()
    except RuntimeError:
        return False
    return True


def interrupt() -> None:
    """End the wait: somebody does not want to wait any more."""
    _waits.get().is_over = True


def is_over() -> bool:
    """Whether Ctrl-C has ended the wait for this process's end."""
    return _waits.get().is_over


def is_interpreter_ending() -> bool:
    """Whether exit handlers run: the main thread counts as ended once all threads are waited for."""
    return not threading.main_thread().is_alive()


def _hand_over_and_send() -> None:
    hand_over()
    send()


def _keep_exit_status() -> None:
    """Have the process die of SIGINT after a Ctrl-C that nobody caught, as a shell expects.

    Read from CPython 3.10 to 3.13 (``pythonrun.c``, ``run_eval_code_obj``): the interpreter notes that a
    KeyboardInterrupt ended the program, and forgets that when code in a text is run, as `dataclass` does. So
    imports while exit handlers run would turn the status into 1, and the interpreter notes it once more here.
    """
    if getattr(sys, "last_type", None) is KeyboardInterrupt and not hasattr(sys, "ps1"):
        with suppress(KeyboardInterrupt):
            exec("raise KeyboardInterrupt")


# With the import, not with the first exporter: exit handlers run in reverse order, and this one is to
# come after the tracer provider's, which is mostly made in between and which Ctrl-C may break off.
atexit.register(farewell)
forks.before(look_around)
