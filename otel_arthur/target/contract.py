"""The interface of a target's room for the delivery, and the target's answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol, runtime_checkable

from otel_arthur.genai.call import LLMCall
from otel_arthur.genai.planned import Planned
from otel_arthur.genai.steps.step import Frame, Meaning, Step, Wordless
from otel_arthur.spool.batches import Batch, BatchOutcome, NewBatch
from otel_arthur.spool.destination import Destination
from otel_arthur.spool.queue.duplicate_window import Judge
from otel_arthur.spool.queue.leases import Terms
from otel_arthur.spool.spool import Spool

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
    """One answer for each batch."""
    trouble: Trouble | None = None
    notes: Sequence[Note] = ()


class Claim(NamedTuple):
    """The rows to take over, of those that wait under other settings."""

    services: Collection[str | None] | None
    """Only rows of these services; None for all, where a person says so."""
    at_once: bool
    """Rows in the duplicate window are moved too."""
    places: Collection[str] = ()
    """All rows of these places (`Destination.model`) too, where a person says so."""


class Attempt(Protocol):
    """The target's questions and reports to the delivery while the target presents batches."""

    @property
    def timeout(self) -> float | None:
        """Seconds for one request, if fewer than configured."""
        ...

    def begin(self) -> None:
        """The imports are done: time from here on counts as waiting for the target."""

    def may_go_on(self) -> bool:
        """Whether a request may begin, asked before each one: not where the lease or the delivery ends."""
        ...

    def step(self) -> None:
        """The target answered a question that comes before sending rows."""

    def accept(self, rows: int) -> None: ...


class Intake(ABC):
    """Takes calls, and keeps nothing but bytes of each."""

    @property
    def mended(self) -> Mapping[str, int]:
        """Kind of mending -> how many values were changed so that the target can take them."""
        return MappingProxyType({})

    def take_copies(self, meanings: Sequence[Meaning]) -> Sequence[Meaning]:
        """Take the calls whose rows are copies of what was written; returns all else, for `take`."""
        return meanings

    def take(self, meaning: Meaning) -> str | None:
        """Take a call or what is around calls, or return the reason why it is left out; raises as `add`."""
        if isinstance(meaning, Planned):
            return self.add_planned(meaning)
        return self.add(meaning) if isinstance(meaning, LLMCall) else self.add_around(meaning)

    @abstractmethod
    def add(self, call: LLMCall) -> str | None:
        """Take a call, or return the reason why it is left out. May raise: the call cannot be written."""

    def add_planned(self, planned: Planned) -> str | None:
        """Take a call that is not put together yet, likewise."""
        return self.add(planned.whole())

    @abstractmethod
    def add_around(self, around: Wordless | Step | Frame) -> str | None:
        """Take a span around calls, likewise; a target of calls alone takes none."""

    @abstractmethod
    def batches(self) -> Iterable[tuple[Destination, NewBatch]]:
        """The rows of all added calls and spans."""


class Target(ABC):
    """One target in one process. A forked child makes its own."""

    name: str
    """`Destination.target` of its destinations."""
    kinds: Mapping[int, Terms]
    """The kinds of its rows, in the order of sending, and how each is leased."""
    of_calls: Collection[int]
    """The kinds of rows of calls and of the spans around them; the other rows are written by people."""
    request_seconds: float
    """Seconds that one request may take: no request begins later than so long before its lease ends."""
    wants_around: bool = False
    """Whether the target takes the spans around calls."""
    window: float
    """Seconds of the duplicate window."""
    judge: Judge
    """The judge that decides about duplicates."""
    destinations: Sequence[Destination]
    """The destinations to send from at the start."""
    own: Sequence[Destination] = ()
    """The destinations that this process records under."""
    services: set[str | None]
    """The services of the calls that this process took."""

    @abstractmethod
    def intake(self, place: str | None, *, is_live: bool) -> Intake:
        """An intake for calls to one place (`Destination.model`), or by the routes."""

    @abstractmethod
    def present(self, destination: Destination, batches: Sequence[Batch], attempt: Attempt) -> Presented:
        """Send batches of one kind. Does not raise."""

    def organization(self, destination: Destination) -> str:
        """The confirmed identity of a destination, asked after its first success; empty if unknown."""
        return ""

    def adopt(self, spool: Spool, claim: Claim) -> int:
        """Move rows that wait under a key that nobody serves to where they go now; returns their number."""
        return 0

    @abstractmethod
    def close(self) -> None: ...


class Feedback(NamedTuple):
    """A person's opinion of a trace."""

    trace_id: str
    span_id: str | None
    """The call: the annotation waits for its row. None where only the trace is named."""
    score: int
    """1 is good, 0 is bad."""
    explanation: str | None


@runtime_checkable
class TakesFeedback(Protocol):
    """A target that has a place for feedback."""

    def feedback(self, given: Iterable[Feedback]) -> tuple[Destination, NewBatch]: ...


@runtime_checkable
class TakesGroundTruth(Protocol):
    """A target that has a place for ground truth."""

    def truths(
        self, truths: Sequence[Mapping[str, Any]], model_id: str | None
    ) -> Iterable[tuple[Destination, NewBatch]]: ...
