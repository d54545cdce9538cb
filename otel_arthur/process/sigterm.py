"""SIGTERM and SIGHUP: a process that nobody else ends in order hands over what it holds, and dies.

SIGHUP comes from a terminal that is closed. On Windows nobody is sent these signals: ``TerminateProcess``
asks no process, and what was exported is on disk.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType

from otel_arthur.process import ends
from otel_arthur.process.threads import later

_SIGNALS = [signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]


def flush_on_sigterm() -> bool:
    """Shut the tracer provider down at SIGTERM and SIGHUP, then end as the signal says. For plain scripts.

    Never called by the exporter: what was exported is on disk by then, and how a process ends is the
    application's business. Our distro calls it, which is asked for by name. Without it, a process killed
    by SIGTERM loses what the batch processor has not exported yet (up to 5 seconds of spans). Does nothing
    where somebody handles the signal already, as gunicorn and celery do, or outside the main thread.
    Returns whether it was set for SIGTERM.
    """
    if threading.current_thread() is not threading.main_thread():
        return False
    free = [number for number in _SIGNALS if signal.getsignal(number) is signal.SIG_DFL]
    for number in free:
        signal.signal(number, _terminate)
    return signal.SIGTERM in free


def _terminate(number: int, _frame: FrameType | None) -> None:
    # An end under way is not broken off: it is bounded, and this thread may hold its locks.
    if ends.when_free(lambda: _die(number)) or later(lambda: _end_and_die(number)):
        return
    _end_and_die(number)


def _end_and_die(number: int) -> None:
    ends.attend(_end, is_last=True)
    _die(number)


def _end() -> None:
    # The spool first: other exporters of the provider may take long.
    if ends.within(ends.HAND_OVER_SECONDS, ends.hand_over):
        ends.within(ends.limit(), _shut_down)
    else:
        ends.within(ends.limit(), ends.send)


def _shut_down() -> None:
    from opentelemetry import trace

    shutdown: Callable[[], object] | None = getattr(trace.get_tracer_provider(), "shutdown", None)
    if shutdown is not None:
        shutdown()
    # A shutdown under way returns at once; so do providers that are not the global one.
    ends.hand_over()
    ends.send()


def _die(number: int) -> None:
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
