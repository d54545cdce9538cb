"""What goes into the spool and comes out of it: batches, and the outcomes of their rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from otel_arthur.spool.rows import Row


class Appended(NamedTuple):
    """What became of rows given to `Spool.append`."""

    new: int
    known: int
    """Rows whose keys wait already, or were accepted not long ago."""
    refused: int = 0
    """Rows for which the spool had no room."""


class BatchEvidence(NamedTuple):
    """Tells the duplicate window which rows of a batch may describe the same as others."""

    labels: str
    """One a line. If all waiting rows share one label, none is a duplicate, and the judge is not asked."""
    body: bytes
    """For the judge."""
    ended: int | None = None
    """When the last of what the rows describe ended, in Unix nanoseconds."""
    original: Any = None
    """What `body` was written from: a judge in this process need not read it back."""


@dataclass(frozen=True, slots=True)
class NewBatch:
    """Rows that are appended at once."""

    kind: int
    """The kind of the rows: a number that the target chooses, from 1 on. Lower kinds go first."""
    rows: Sequence[Row]
    form: int = 1
    """The form of the contents: a number that the target chooses."""
    evidence: BatchEvidence | None = None
    hold: float = 0.0
    """Seconds until the rows may leave; with `evidence` the rows wait for a duplicate meanwhile."""
    ended: tuple[int, int] | None = None
    """When the first and the last of what they describe ended, in Unix nanoseconds."""
    patience: float | None = None
    """Seconds after which a row leaves even if a row that it comes after (`Row.after`) still waits; None is
    never."""
    is_live: bool = False
    """Whether the rows are of spans that ended in this process: no other process can have added them."""
    sent_at: float | None = None
    """The earliest time of a former request whose outcome nobody knows."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows leased to one sender."""

    number: int
    destination: int
    kind: int
    form: int
    created: float
    attempts: int
    """How often a target took the request but not a row of this batch."""
    rows: Sequence[Row] = field(repr=False)
    """One piece (`Rows`) where they are as they lie in the spool.
    Where a group was suppressed as a duplicate, rows that came after it have the kept group's id."""
    blocked: Sequence[Row] = field(default=(), repr=False)
    """Rows that must wait for others; `Spool.finish` keeps them."""
    owner: str = ""
    """The name under which the batch is leased."""
    in_memory: bool = False
    """Whether the batch is in memory alone."""
    sent_at: float | None = None
    """The earliest time of a former request whose outcome nobody knows."""


class DeadLetter(NamedTuple):
    """A row that its target refused for good."""

    row: Row
    reason: str


@dataclass(slots=True)
class BatchOutcome:
    """The outcomes of one batch: each row is in exactly one of these fields."""

    batch: Batch
    sent: int = 0
    """Accepted by the target."""
    dead: list[DeadLetter] = field(default_factory=list[DeadLetter])
    """Refused for good."""
    skipped: int = 0
    """Rows that turned out not to be wanted, for `skip_reason`."""
    skip_reason: str = ""
    moved: int = 0
    """Rows that wait under another destination now."""
    waiting: list[Row] = field(default_factory=list[Row])
    """Rows to present again, after `wait` seconds."""
    wait: float = 0.0
    is_attempt: bool = False
    """The target answered for the rows that wait, one by one."""
    is_unknown: bool = False
    """Nobody knows whether the rows that wait were accepted: the next lease says so."""

    def postpone(self) -> None:
        """Nothing is known of any row: all wait."""
        self.waiting = [*self.batch.rows]
        self.dead = []
        self.sent = self.skipped = self.moved = 0
