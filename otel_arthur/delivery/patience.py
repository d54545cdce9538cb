"""How long the end of a process waits for Arthur, and the line that says why calls are left."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable, Mapping

from otel_arthur.process import ends
from otel_arthur.spool.destination import Destination

NOT_YET = "Arthur does not take them yet"
"""Ground truth whose inference Arthur does not know, or rows that Arthur failed on, each by itself."""
IDLE_SECONDS = 3.0
"""An end waits no longer than this after the last accepted row."""


class Progress:
    """What Arthur did in this process. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._accepted: Counter[str] = Counter()
        self._errors: dict[Destination, str] = {}
        self._preparing: set[int] = set()
        """Threads that load what a request needs: a busy machine takes long, and Arthur is not to blame."""
        self._asking: set[int] = set()
        """Threads that wait for an answer."""
        self._steps = 0

    def prepares(self) -> None:
        """A request is made ready."""
        with self._lock:
            self._preparing.add(threading.get_ident())

    def begun(self) -> None:
        """A request begins."""
        with self._lock:
            self._preparing.discard(threading.get_ident())
            self._asking.add(threading.get_ident())
            self._steps = self._steps or 1

    def stepped(self) -> None:
        """Arthur answered what had to be known before rows could be sent."""
        with self._lock:
            self._steps += 1

    def ended(self, destination: Destination, error: str) -> None:
        """A request was answered, or failed with `error`."""
        with self._lock:
            self._preparing.discard(threading.get_ident())
            self._asking.discard(threading.get_ident())
            if error:
                self._errors[destination] = error
            else:
                self._errors.pop(destination, None)

    def accept(self, name: str, rows: int) -> None:
        """Arthur accepted rows."""
        with self._lock:
            self._accepted[name] += rows
            self._steps += bool(rows)

    @property
    def accepted(self) -> Mapping[str, int]:
        """Rows accepted so far, by name."""
        with self._lock:
            return dict(self._accepted)

    @property
    def is_preparing(self) -> bool:
        """Whether a request is made ready, and none waits for an answer."""
        return bool(self._preparing) and not self._asking

    @property
    def steps(self) -> int:
        """Grows while the end should wait."""
        return self._steps

    def why(self, destinations: Iterable[Destination]) -> str:
        """What Arthur did last where rows are left; empty where nothing went wrong."""
        with self._lock:
            errors = [self._errors[d] for d in destinations if d in self._errors]
            if self._asking:
                return f"Arthur has not answered for {IDLE_SECONDS:g} s"
            return errors[0] if errors else ""


class Patience:
    """Until when one wait for an end goes on.

    Args:
        deadline: on `time.monotonic`'s clock.
    """

    def __init__(self, progress: Progress, deadline: float) -> None:
        self._progress = progress
        self._deadline = deadline
        self._seen = progress.steps
        self._since = time.monotonic()
        self.why = ""
        """Why rows were left."""

    @property
    def seconds_left(self) -> float:
        """Until the wait ends, if Arthur accepts nothing more; 0 when it has ended."""
        now = time.monotonic()
        steps = self._progress.steps
        if steps != self._seen or self._progress.is_preparing:
            self._seen, self._since = steps, now
        if ends.is_over():
            return 0.0
        return max(min(self._deadline, self._since + IDLE_SECONDS) - now, 0.0)

    def give_up(self, destinations: Iterable[Destination]) -> None:
        """The wait ends with rows left for `destinations`."""
        if ends.is_over():
            self.why = "the wait was interrupted"
        elif time.monotonic() >= self._deadline:
            self.why = "the time for the exit is over"
        else:
            self.why = self._progress.why(destinations) or NOT_YET
