"""`Turns`: one piece of work at a time in a thread, and senders by turns."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Final, ParamSpec, TypeVar

LINE_SECONDS: Final = 10.0
"""Seconds that a sender waits for a turn. OTLP's exporters give up after as many by default
(``OTEL_EXPORTER_OTLP_TIMEOUT``): work that is done later answers nobody, and delays those who send again."""
_P = ParamSpec("_P")
_T = TypeVar("_T")


class NoTurn(Exception):
    """The turn did not come in time; the work was not begun."""


class Turns:
    """For one event loop. Between two pieces of one sender, each other sender gets a turn.

    Args:
        patience: seconds that a piece of work waits for its turn at most.
    """

    def __init__(self, thread: Executor, patience: float = LINE_SECONDS) -> None:
        self._thread = thread
        self._patience = patience
        self._is_busy = False
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    async def run(self, sender: str, work: Callable[_P, _T], *arguments: _P.args, **named: _P.kwargs) -> _T:
        """Do `work` in the thread when it is this sender's turn.

        Raises:
            NoTurn: others held the thread for too long.
        """
        loop = asyncio.get_running_loop()
        if self._is_busy:
            turn: asyncio.Future[None] = loop.create_future()
            self._waiting.setdefault(sender, deque()).append(turn)
            try:
                await asyncio.wait({turn}, timeout=self._patience)
            except asyncio.CancelledError:
                if not turn.cancel():  # the turn had come
                    self._next()
                raise
            if turn.cancel():
                raise NoTurn
        self._is_busy = True
        try:
            return await loop.run_in_executor(self._thread, lambda: work(*arguments, **named))
        finally:
            self._next()

    def _next(self) -> None:
        while self._waiting:
            sender = next(iter(self._waiting))
            turns = self._waiting.pop(sender)
            turn = turns.popleft()
            if turns:  # at the end of the line
                self._waiting[sender] = turns
            if not turn.done():
                turn.set_result(None)
                return
        self._is_busy = False
