"""Rows to the Engine, and each row's outcome, though the Engine stores a span each time that it comes.

A row is presented again only when the Engine has said that it does not have the span. After a lost answer the
rows wait, since the Engine may still be storing them. Then the Engine is asked which spans it has.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from otel_arthur.engine.client import EngineClient, Forbidden
from otel_arthur.engine.intake import task_in
from otel_arthur.genai.span import SpanKey
from otel_arthur.http.errors import RETRYABLE_STATUSES, ArthurError, Unavailable
from otel_arthur.spool.batches import Batch, BatchOutcome, DeadLetter
from otel_arthur.spool.rows import Row
from otel_arthur.target.contract import Attempt, Note, Presented, Trouble

UNMAPPED: Final = "__unmapped__"
"""The task of spans whose service has no name."""
IN_DOUBT: Final = "answer lost, and the key may not ask"
"""The reason of rows that the setting `in_doubt` leaves."""
MAX_ATTEMPTS: Final = 5
"""Tries for a row that the Engine answers with 500 while it stores no other row."""
_UNKNOWN: Final = frozenset({502, 503, 504})
"""A proxy's answers: the Engine behind the proxy may have stored the rows."""
_MAY_NOT_ASK: Final = Note(
    "the Engine's key may not ask",
    "the Engine's key may not ask which spans are stored: spans whose answer was lost are presented again, "
    "and the Engine may count them twice; use a key with the role TASK-ADMIN",
)


class _Gone(Exception):
    """The outcome of a request's rows is unknown."""


class _Held(Exception):
    """The Engine takes nothing now."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.text)
        self.trouble = trouble


class Presentation:
    """One presentation of batches.

    Args:
        doubt: seconds after which the Engine has stored whatever it was still storing.
        leaves: rows that may be stored are not presented again, where the key may not ask.
    """

    def __init__(self, client: EngineClient, doubt: float, attempt: Attempt, *, leaves: bool = False) -> None:
        self._client = client
        self._doubt = doubt
        self._leaves = leaves
        self._attempt = attempt
        self._notes: list[Note] = []
        self._stored: set[str] = set()
        self._refused: dict[str, str] = {}
        self._failed: list[str] = []
        """Rows that the Engine failed on, each alone."""
        self._unknown: set[str] = set()
        self._left: set[int] = set()
        """Batches with an unknown outcome, which are not presented again."""

    def of(self, batches: Sequence[Batch]) -> Presented:
        """Send; does not raise."""
        trouble = None
        rows: list[Row] = []
        asked: set[int] = set()
        try:
            self._attempt.begin()
            for batch in batches:
                if batch.sent_at is not None:
                    if not self._ask(batch.rows) and self._leaves:
                        self._left.add(batch.number)
                        continue
                    self._attempt.step()
                asked.add(batch.number)
                rows += [row for row in batch.rows if row.id not in self._stored]
            self._send(rows)
        except _Held as held:
            trouble = held.trouble
        except _Gone:
            # Rows in doubt wait separately; the rest is tried again as after any failure.
            trouble = Trouble("the Engine did not answer: it is asked later which spans it has", "no answer")
        except (ArthurError, ValueError) as error:
            trouble = Trouble(str(error), type(error).__name__)
        if trouble is None and self._failed and not self._stored:
            trouble = Trouble("the Engine fails on every span (500)", "500", is_slow=True)
        outcomes = [self._outcome(batch, batch.number in asked) for batch in batches]
        if any(outcome.dead for outcome in outcomes):
            self._notes.append(
                Note(
                    "dead letters of the Engine",
                    "the Engine refused spans for good; `otel-arthur spool dead-letters list` says why",
                )
            )
        return Presented(outcomes, trouble, self._notes)

    def _outcome(self, batch: Batch, is_asked: bool) -> BatchOutcome:
        outcome = BatchOutcome(batch)
        if batch.number in self._left:
            outcome.skipped, outcome.skip_reason = len(batch.rows), IN_DOUBT
            return outcome
        poison = self._poison(batch)
        for row in batch.rows:
            if row.id in self._stored:
                outcome.sent += 1
            elif row.id in self._refused:
                outcome.dead.append(DeadLetter(row, self._refused[row.id]))
            elif row.id in poison:
                outcome.dead.append(DeadLetter(row, "500: the Engine cannot store this span"))
            else:
                outcome.waiting.append(row)
        if any(row.id in self._unknown for row in outcome.waiting) or (
            batch.sent_at is not None and not is_asked
        ):
            outcome.is_unknown = True
            outcome.wait = self._doubt
        outcome.is_attempt = any(row.id in self._failed for row in outcome.waiting)
        return outcome

    def _poison(self, batch: Batch) -> set[str]:
        """The rows that failed alone while others were stored, or that failed too often."""
        is_certain = bool(self._stored) or batch.attempts >= MAX_ATTEMPTS
        return set(self._failed) if is_certain else set()

    def _send(self, rows: Sequence[Row]) -> None:
        """Send rows in one request, and in halves where the Engine fails on the whole."""
        if not rows or (len(self._failed) > 1 and not self._stored):
            return
        if not self._attempt.may_go_on():
            raise _Held(Trouble("the time is over", "time"))
        try:
            status = self._client.send(b"".join([row.content for row in rows]), self._attempt.timeout)
        except Unavailable as error:
            if error.is_unsent:
                raise
            self._unknown.update(row.id for row in rows)
            raise _Gone from None
        if status in range(200, 300) and status != 206:
            self._stored.update(row.id for row in rows)
            self._attempt.accept(len(rows))
        elif status in (206, 422):
            self._part(rows, status)
        elif status in (413, 500):
            if len(rows) > 1:
                middle = len(rows) // 2
                self._send(rows[:middle])
                self._send(rows[middle:])
            elif status == 413:
                self._refused[rows[0].id] = "413: the span is too large for the Engine"
            else:
                self._failed.append(rows[0].id)
        elif status in _UNKNOWN:
            self._unknown.update(row.id for row in rows)
            raise _Gone
        else:
            raise _Held(trouble_of(status))

    def _part(self, rows: Sequence[Row], status: int) -> None:
        """Some rows were refused, or all of them with 422: the reasons name no span."""
        if status == 206 and len(rows) > 1:
            known = self._ask(rows)
            if not known:
                # Without asking, the refused rows are unknown, and a second try would double the others.
                self._stored.update(row.id for row in rows)
                return
        for row in rows:
            if row.id not in self._stored:
                self._refused[row.id] = f"{status}: the Engine rejected the span"

    def _ask(self, rows: Sequence[Row]) -> bool:
        """Note which rows are stored; returns whether the key may ask."""
        by_task: dict[tuple[str | None, str | None], list[Row]] = {}
        for row in rows:
            by_task.setdefault(task_in(row.content), []).append(row)
        try:
            for (task_id, service), members in by_task.items():
                task = task_id or self._client.task_of(service or UNMAPPED)
                ids = {(row.id[:32], row.id[33:]): row.id for row in members}
                # A missing task has no spans.
                stored = self._client.stored(task, ids) if task is not None else set[SpanKey]()
                self._stored.update(ids[one] for one in stored)
        except Forbidden:
            self._notes.append(_MAY_NOT_ASK)
            return False
        return True


def trouble_of(status: int) -> Trouble:
    """Why the Engine takes nothing, and what to do."""
    if status in RETRYABLE_STATUSES:
        return Trouble(f"the Engine is busy ({status})", str(status))
    advice = {
        400: "the Engine does not understand the request; check OTEL_EXPORTER_ARTHUR_ENGINE_ENDPOINT",
        401: "the Engine refused the key; check OTEL_EXPORTER_ARTHUR_ENGINE_API_KEY",
        403: "the key may not send traces; a key with the role TENANT-USER never may",
        404: "there is no Engine at this address; check OTEL_EXPORTER_ARTHUR_ENGINE_ENDPOINT",
    }
    text = advice.get(status, "the Engine refused the request")
    return Trouble(f"{text} ({status})", str(status), is_slow=True)
