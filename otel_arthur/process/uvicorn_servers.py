"""uvicorn's servers: when they have ended their work they raise the signal that ended them once more.

The handler that they found is the system's own, under gunicorn always (``UvicornWorker.init_signals`` resets
it): the process dies there, and no exit handler runs. So calls are handed over once a server has shut down.

Read from: uvicorn 0.30 to 0.54 (``Server.shutdown`` runs once all requests are answered, before
``Server.capture_signals`` raises the signal), uvicorn-worker 0.2 to 0.4 (uses that server). Where ``Server``
has no such method, nothing is changed, and `sigterm.flush_on_sigterm` is what is left.

Where gunicorn's master alone gets SIGINT, it sends its workers SIGQUIT. A worker of uvicorn goes on then, and
the master kills it after ``--graceful-timeout`` (gunicorn 27, ``Arbiter.stop``). So calls are handed over at
once.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import signal
import sys
from collections.abc import Callable
from typing import Any

from otel_arthur.process.never_raises import never_raises
from otel_arthur.process.threads import thread_of

_POLL_SECONDS = 0.1
_MARK = "_otel_arthur_farewell"


def watch(farewell: Callable[[], None], give_up: Callable[[], None], hand_over: Callable[[], None]) -> None:
    """Have `farewell` called when a server of uvicorn has shut down; repeating is free.

    Args:
        give_up: ends the wait in `farewell`; called where somebody presses Ctrl-C again.
        hand_over: called in a worker of gunicorn that will be killed.
    """
    _watch_servers(farewell, give_up)
    _watch_workers(hand_over)


def _watch_servers(farewell: Callable[[], None], give_up: Callable[[], None]) -> None:
    server = getattr(sys.modules.get("uvicorn.server"), "Server", None)
    shutdown = getattr(server, "shutdown", None)
    if shutdown is None or hasattr(shutdown, _MARK) or not inspect.iscoroutinefunction(shutdown):
        return

    @functools.wraps(shutdown)
    async def shutdown_with_farewell(self: Any, *args: Any, **options: Any) -> None:
        try:
            await shutdown(self, *args, **options)
        finally:
            # In a thread: the loop of the application is not held.
            waiting = asyncio.ensure_future(asyncio.to_thread(farewell))
            while not waiting.done():
                await asyncio.wait([waiting], timeout=_POLL_SECONDS)
                if getattr(self, "force_exit", False):
                    give_up()

    setattr(shutdown_with_farewell, _MARK, True)
    server.shutdown = shutdown_with_farewell  # type: ignore[union-attr]


def _watch_workers(hand_over: Callable[[], None]) -> None:
    worker = getattr(sys.modules.get("gunicorn.workers.base"), "Worker", None)
    handle_exit = getattr(worker, "handle_exit", None)
    if handle_exit is None or hasattr(handle_exit, _MARK):
        return

    @functools.wraps(handle_exit)
    def handle_exit_with_hand_over(self: Any, number: int, *args: Any) -> None:
        # Of gunicorn's own workers this is the handler of SIGTERM, and they end in order.
        if number == signal.SIGQUIT:
            with never_raises("calls of a worker that will be killed were not handed over"):
                thread_of(hand_over, "otel-arthur-end").start()
        handle_exit(self, number, *args)

    setattr(handle_exit_with_hand_over, _MARK, True)
    worker.handle_exit = handle_exit_with_hand_over  # type: ignore[union-attr]
