"""Work that the kernel may never finish, as a sync on a disk that hangs: the caller's wait is bounded."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

from otel_arthur.process.threads import thread_of
from otel_arthur.spool.errors import SpoolError

_T = TypeVar("_T")

THREADS: Final = 8
"""More than hang at once hang for one disk."""


class NoAnswer(SpoolError):
    """The disk has not answered in time."""


class _Task(Generic[_T]):
    """One piece of work. Either it ends in time, or nobody wants its result any more; never both."""

    def __init__(
        self, operation: Callable[[], _T], late: Callable[[_T], None], abandoned: set[_Task[Any]]
    ) -> None:
        self._operation = operation
        self._late = late
        self._abandoned = abandoned
        self._context = contextvars.copy_context()
        self._decision = threading.Lock()
        self._ended = threading.Lock()
        self._ended.acquire()
        self.result: _T | None = None
        self.error: BaseException | None = None
        self._has_ended = False

    def run(self) -> None:
        """On a thread that may hang."""
        try:
            result: Any = self._context.run(self._operation)
        except BaseException as error:
            self.error = error
            result = None
        with self._decision:
            self.result = result
            self._has_ended = True
            is_late = self in self._abandoned
        if is_late:
            if self.error is None:
                self._late(result)
            self._abandoned.discard(self)

    def ended(self) -> None:
        """Wake the thread that waits."""
        self._ended.release()

    def wait(self, seconds: float, instead: Callable[[], None]) -> bool:
        """Whether the work ended in time; if not, `instead` is done before the work can be late."""
        if self._ended.acquire(timeout=max(seconds, 0.0)):
            return True
        with self._decision:
            if not self._has_ended:
                self._abandoned.add(self)
                instead()
            return self._has_ended


class _Thread:
    def __init__(self, idle: list[_Thread]) -> None:
        self._idle = idle
        self._ready = threading.Lock()
        self._ready.acquire()
        self._task: _Task[Any] | None = None
        thread_of(self._run, "otel-arthur-disk").start()

    def give(self, task: _Task[Any]) -> None:
        self._task = task
        self._ready.release()

    def _run(self) -> None:
        while True:
            self._ready.acquire()
            task, self._task = self._task, None
            assert task is not None
            task.run()
            self._idle.append(self)
            task.ended()
            del task


class Bounded:
    """A few threads that wait for a disk in the place of others. A forked child makes its own."""

    def __init__(self) -> None:
        self._idle: list[_Thread] = []
        self._count = 0
        self._lock = threading.Lock()
        self._abandoned: set[_Task[Any]] = set()

    @property
    def is_stuck(self) -> bool:
        """Whether work that is late has not ended yet."""
        return bool(self._abandoned)

    def run(
        self,
        operation: Callable[[], _T],
        seconds: float,
        late: Callable[[_T], None],
        instead: Callable[[], None],
    ) -> _T:
        """Do it, and wait so long at most.

        Args:
            late: called with the result where the work ends after the wait.
            instead: called where the wait ends without a result, before `late`.

        Raises:
            NoAnswer: it has not ended; the rest is what `operation` raises.
        """
        task = _Task(operation, late, self._abandoned)
        try:
            thread = self._thread()
        except RuntimeError:  # no thread starts any more: the interpreter ends
            return operation()
        if thread is None:
            instead()
            raise NoAnswer("the disk does not answer")
        thread.give(task)
        if not task.wait(seconds, instead):
            raise NoAnswer(f"the disk has not answered for {seconds:.3g} s")
        if task.error is not None:
            raise task.error
        return task.result  # type: ignore[return-value]

    def _thread(self) -> _Thread | None:
        with self._lock:
            if self._idle:
                return self._idle.pop()
            if self._count >= THREADS:
                return None
            thread = _Thread(self._idle)
            self._count += 1
            return thread
