"""The contract between the delivery and a target: what a target's room offers, and what it answers.

The delivery decides who sends what and when, the spool keeps rows. What a row is, how rows are sent and how
an answer is read is the target's business.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final, NamedTuple, Protocol, runtime_checkable

from otel_arthur.genai.call import LLMCall
from otel_arthur.genai.duplicates.gathering import Gathering
from otel_arthur.genai.duplicates.relations import Relations
from otel_arthur.genai.steps.step import Frame, Step, Wordless
from otel_arthur.spool.batches import Batch, BatchOutcome, Evidence, NewBatch
from otel_arthur.spool.destination import Destination
from otel_arthur.spool.queue.duplicate_window import Judge
from otel_arthur.spool.queue.leases import Terms

MAX_SERVICES: Final = 1000
"""Whose names one process remembers: a sender may name a service of its own in each span."""


class Trouble(NamedTuple):
    """Why a target took no rows, as a whole."""

    text: str
    """One line for the log and ``spool status``: no prompt and no key is in it."""
    cause: str
    """Tells it from another cause: each is said once until the target works again."""
    retry_after: float | None = None
    """Seconds that the target asked to wait."""
    is_slow: bool = False
    """It does not pass by itself: somebody must mend something."""


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
    """What a target asks and tells the delivery while it presents batches."""

    @property
    def timeout(self) -> float | None:
        """What one request may take, where that is less than configured."""
        ...

    def begin(self) -> None:
        """The imports are done: time from here on counts as waiting for the target."""

    def may_go_on(self) -> bool:
        """Whether a request may begin; asked before each. No more, where the lease or the delivery ends."""
        ...

    def step(self) -> None:
        """The target answered what had to be known before rows could be sent."""

    def accept(self, rows: int) -> None: ...


class HeldEvidence:
    """What is kept of calls until their batch is appended: when they ended, and what tells duplicates.

    Nothing else of a call is kept but its rows, as bytes: all that lives until the end of a batch is work for
    the garbage collector.

    Args:
        window: seconds that rows wait for a duplicate; 0 is not at all, and then nothing tells duplicates.
    """

    __slots__ = ("_ended", "_gathering")

    def __init__(self, relations: Relations, window: float) -> None:
        self._gathering = Gathering(relations) if window else None
        self._ended: list[int] = []

    def add(self, call: LLMCall) -> None:
        self._ended.append(call.end_ns)
        if self._gathering is not None:
            self._gathering.add(call)

    def add_end(self, end_ns: int) -> None:
        """Of a span that is no call."""
        self._ended.append(end_ns)

    @property
    def written(self) -> Evidence | None:
        """The evidence of a batch."""
        return None if self._gathering is None else Evidence(*self._gathering.written())

    @property
    def ended(self) -> tuple[int, int] | None:
        """When the first and the last of them ended, in Unix nanoseconds."""
        return (min(self._ended), max(self._ended)) if self._ended else None


class Intake(Protocol):
    """Takes calls one by one; what it keeps of each are bytes."""

    def add(self, call: LLMCall) -> str | None:
        """Take a call; or the reason why it is left out. May raise: then the call cannot be written."""
        ...

    def add_around(self, told: Wordless | Step | Frame) -> str | None:
        """Take what is around calls, likewise; a target of calls alone takes nothing."""
        ...

    def batches(self) -> Iterable[tuple[Destination, NewBatch]]:
        """The rows of all that was added."""
        ...

    @property
    def mended(self) -> Mapping[str, int]:
        """Kind of mending -> how often something was changed so that the target can take it."""
        ...


class Feedback(NamedTuple):
    """What a person says of a trace."""

    trace_id: str
    span_id: str | None
    """The call that is meant, for which the annotation waits; None where the trace is told alone."""
    score: int
    """1 is good, 0 is bad."""
    explanation: str | None


@runtime_checkable
class TakesFeedback(Protocol):
    """Of a target that has a place for feedback."""

    def feedback(self, given: Iterable[Feedback]) -> tuple[Destination, NewBatch]:
        """The rows for it."""
        ...


class Target(Protocol):
    """One target in one process. A forked child makes its own."""

    @property
    def name(self) -> str:
        """`Destination.target` of its destinations."""
        ...

    @property
    def kinds(self) -> Mapping[int, Terms]:
        """The kinds of its rows, first those that go first, and how each is leased."""
        ...

    @property
    def of_calls(self) -> Collection[int]:
        """The kinds of rows that calls and what is around them become; the others are what a person says."""
        ...

    @property
    def request_seconds(self) -> float:
        """What one request may take: none begins later than so long before its lease ends."""
        ...

    @property
    def wants_around(self) -> bool:
        """Whether it takes the spans around calls."""
        ...

    @property
    def window(self) -> float:
        """Seconds of the duplicate window."""
        ...

    @property
    def destinations(self) -> Sequence[Destination]:
        """Those to send from at the start."""
        ...

    @property
    def own(self) -> Sequence[Destination]:
        """Those that this process records under where it cannot send: no place is configured."""
        ...

    @property
    def services(self) -> Collection[str | None]:
        """The services of the calls that this process took."""
        ...

    def intake(self, place: str | None, *, is_live: bool) -> Intake:
        """For calls to one place (`Destination.model`), or by the routes."""
        ...

    @property
    def judge(self) -> Judge:
        """Decides about duplicates."""
        ...

    def present(self, destination: Destination, batches: Sequence[Batch], attempt: Attempt) -> Presented:
        """Send batches of one kind. Does not raise."""
        ...

    def organization(self, destination: Destination) -> str:
        """Whose destination it is, asked after its first success; empty where that cannot be told."""
        ...

    def adopt(self, services: Collection[str | None] | None, *, at_once: bool) -> int:
        """Move rows that wait under a key that nobody serves to where they now go; returns how many.

        Args:
            services: only rows of these services; None for all, where a person says so.
            at_once: what the duplicate window holds is moved too.
        """
        ...

    def close(self) -> None: ...


Say = Callable[[str, str], None]
"""Say a line once in a process: key, line."""
