"""`Turns`: one piece of work at a time in a thread, and senders by turns."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from typing import ParamSpec, TypeVar

_P = ParamSpec("_P")
_T = TypeVar("_T")


class Turns:
    """For one event loop. Between two pieces of one sender, each other sender gets a turn."""

    def __init__(self, thread: Executor) -> None:
        self._thread = thread
        self._is_busy = False
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}

    async def run(self, sender: str, work: Callable[_P, _T], *arguments: _P.args, **named: _P.kwargs) -> _T:
        """Do `work` in the thread when it is this sender's turn."""
        loop = asyncio.get_running_loop()
        if self._is_busy:
            turn: asyncio.Future[None] = loop.create_future()
            self._waiting.setdefault(sender, deque()).append(turn)
            try:
                await turn
            except asyncio.CancelledError:
                if not turn.cancelled():
                    self._next()
                raise
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
