"""What a target's room offers to the delivery, and what the target answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from otel_arthur.genai.call import LLMCall
from otel_arthur.genai.steps.step import Frame, Step, Wordless
from otel_arthur.spool.batches import Batch, BatchOutcome, NewBatch
from otel_arthur.spool.destination import Destination
from otel_arthur.spool.queue.duplicate_window import Judge
from otel_arthur.spool.queue.leases import Terms

Say = Callable[[str, str], None]
"""Say a line once in a process: key, line."""


class Trouble(NamedTuple):
    """Why a target took no rows, as a whole."""

    text: str
    """One line for the log and ``spool status``, without a prompt and without a key."""
    cause: str
    """Each cause is said once until the target works again."""
    retry_after: float | None = None
    """Seconds that the target asked to wait."""
    is_slow: bool = False
    """The trouble does not pass by itself: somebody must mend something."""


class Note(NamedTuple):
    """A line for the log, said once for each key in a process."""

    key: str
    line: str


class Presented(NamedTuple):
    """The target's answer to batches."""

    outcomes: Sequence[BatchOutcome]
    """One for each batch."""
    trouble: Trouble | None = None
    notes: Sequence[Note] = ()


class Attempt(Protocol):
    """What a target asks the delivery, and reports to the delivery, while the target presents batches."""

    @property
    def timeout(self) -> float | None:
        """Seconds for one request, where that is less than configured."""
        ...

    def begin(self) -> None:
        """The imports are done: time from here on counts as waiting for the target."""

    def may_go_on(self) -> bool:
        """Whether a request may begin, asked before each: no, where the lease or the delivery ends."""
        ...

    def step(self) -> None:
        """The target answered a question that comes before sending rows."""

    def accept(self, rows: int) -> None: ...


class Intake(Protocol):
    """Takes calls one by one, and keeps nothing but bytes of each."""

    def add(self, call: LLMCall) -> str | None:
        """Take a call, or return the reason why it is left out. May raise: the call cannot be written."""
        ...

    def add_around(self, around: Wordless | Step | Frame) -> str | None:
        """Take what is around calls, likewise; a target of calls alone takes nothing."""
        ...

    def batches(self) -> Iterable[tuple[Destination, NewBatch]]:
        """The rows of all that was added."""
        ...

    @property
    def mended(self) -> Mapping[str, int]:
        """Kind of mending -> how often something was changed so that the target can take it."""
        ...


class Target(ABC):
    """One target in one process. A forked child makes its own."""

    name: str
    """`Destination.target` of its destinations."""
    kinds: Mapping[int, Terms]
    """The kinds of its rows, first those that go first, and how each is leased."""
    of_calls: Collection[int]
    """The kinds of rows that calls and what is around them become; a person writes the others."""
    request_seconds: float
    """What one request may take: none begins later than so long before its lease ends."""
    wants_around: bool = False
    """Whether the target takes the spans around calls."""
    window: float
    """Seconds of the duplicate window."""
    judge: Judge
    """Decides about duplicates."""
    destinations: Sequence[Destination]
    """Those to send from at the start."""
    own: Sequence[Destination] = ()
    """Those that this process records under."""
    services: set[str | None]
    """The services of the calls that this process took."""

    @abstractmethod
    def intake(self, place: str | None, *, is_live: bool) -> Intake:
        """For calls to one place (`Destination.model`), or by the routes."""

    @abstractmethod
    def present(self, destination: Destination, batches: Sequence[Batch], attempt: Attempt) -> Presented:
        """Send batches of one kind. Does not raise."""

    def organization(self, destination: Destination) -> str:
        """Whose destination it is, asked after its first success; empty where nobody can tell."""
        return ""

    def adopt(self, services: Collection[str | None] | None, *, at_once: bool) -> int:
        """Move rows that wait under a key that nobody serves to where they now go; returns how many.

        Args:
            services: only rows of these services; None for all, where a person says so.
            at_once: what the duplicate window holds is moved too.
        """
        return 0

    @abstractmethod
    def close(self) -> None: ...


class Feedback(NamedTuple):
    """What a person says of a trace."""

    trace_id: str
    span_id: str | None
    """The call that is meant: the annotation waits for its row. None where only the trace is named."""
    score: int
    """1 is good, 0 is bad."""
    explanation: str | None


@runtime_checkable
class TakesFeedback(Protocol):
    """A target that has a place for feedback."""

    def feedback(self, given: Iterable[Feedback]) -> tuple[Destination, NewBatch]: ...
