"""What goes into the spool and comes out of it: batches, and the outcomes of their rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from otel_arthur.spool.records import Form, Kind, Record


class Appended(NamedTuple):
    """What became of records given to `Spool.append`."""

    new: int
    known: int
    """Their keys are waiting already, or were accepted not long ago."""
    refused: int = 0
    """The spool is full."""


class Evidence(NamedTuple):
    """What the calls of a batch testify, for the duplicate window."""

    scopes: str
    """The instrumentation scopes that occur, one a line."""
    body: bytes
    """JSON: a list of `genai.duplicates.Evidence.to_json`."""


@dataclass(frozen=True, slots=True)
class NewBatch:
    """Records that are appended at once."""

    kind: Kind
    form: Form
    records: Sequence[Record]
    evidence: Evidence | None = None
    hold: float = 0.0
    """Seconds during which the records wait for a duplicate of their calls."""
    ended: tuple[int, int] | None = None
    """When the first and the last of the calls ended, in Unix nanoseconds."""
    is_live: bool = False
    """They are of spans that ended in this process, and can only have been added by it."""
    skipped: Mapping[str, int] = field(default_factory=dict[str, int])
    """Reason -> spans skipped on the way, counted in the same transaction."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows leased to one sender."""

    number: int
    destination: int
    kind: Kind
    form: Form
    created: float
    attempts: int
    """How often Arthur took the request but not a row of this batch."""
    rows: list[bytes] = field(repr=False)


class DeadLetter(NamedTuple):
    """A row that Arthur refused for good."""

    row: bytes
    reason: str


@dataclass(slots=True)
class Settled:
    """The outcomes of one batch. Every row of it is in exactly one of these."""

    batch: Batch
    sent: int = 0
    dead: list[DeadLetter] = field(default_factory=list[DeadLetter])
    skipped: int = 0
    """Rows that turned out not to be wanted, for `skip_reason`."""
    skip_reason: str = ""
    moved: int = 0
    """Rows that wait under another destination now."""
    waiting: list[bytes] = field(default_factory=list[bytes])
    """Rows to present again, after `wait` seconds."""
    wait: float = 0.0
    is_attempt: bool = False
    """Arthur answered for the rows that wait, one by one."""

    def postpone(self) -> None:
        """Nothing is known of any row: all wait."""
        self.waiting = self.batch.rows
        self.dead = []
        self.sent = self.skipped = self.moved = 0
