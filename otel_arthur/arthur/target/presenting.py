"""Batches to Arthur, and each row's outcome: the request, the meaning of its answer, the next try."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from msgspec.structs import replace

from otel_arthur.arthur.clients import Client
from otel_arthur.arthur.errors import Forbidden, NotFound, Refused, Unauthorized
from otel_arthur.arthur.rows import Outcome, RowResult, are_delivered
from otel_arthur.arthur.target.bisect import Bisection, reason_of
from otel_arthur.arthur.target.fitting import fitted, refitted
from otel_arthur.arthur.target.intake import FAILED_CALL
from otel_arthur.arthur.target.records import ARRAY, Form, Kind, renamed
from otel_arthur.arthur.target.schemas import Schemas
from otel_arthur.http.encoding import JsonArray
from otel_arthur.http.errors import ArthurError, ConfigurationError
from otel_arthur.inference.schema import SchemaError
from otel_arthur.spool.batches import Batch, BatchOutcome, DeadLetter
from otel_arthur.spool.rows import Contents, Row, Rows
from otel_arthur.target.contract import Attempt, Note, Presented, Trouble

MAX_ATTEMPTS: Final = 20
"""Tries for a row that Arthur answers with a server error while Arthur takes other rows."""
_NOT_FOUND: Final = 404
TRUTH_PATIENCE_SECONDS: Final = 900.0
TRUTH_PATIENCE_ATTEMPTS: Final = 20
"""So often, and for so many seconds, ground truth is tried for an inference that Arthur does not know."""
_NO_TRUTH: Final = (
    "the model has no ground truth attribute; `otel-arthur onboard NAME --ground-truth` creates one that has"
)
RECHECK_SECONDS: Final = 60.0
"""After a refused row the model is read again, but at most once in so many seconds."""
_TO_BE_MENDED: Final = (Unauthorized, Forbidden, NotFound, ConfigurationError, Refused, SchemaError)
"""Errors that do not pass by themselves: retried slowly, and said once."""


class _Part(NamedTuple):
    """The part of one batch in a request."""

    outcome: BatchOutcome
    rows: Sequence[Row]
    """The rows as they lie in the spool."""
    ready: Sequence[bytes] | None = None
    """The contents to present, where they differ from the spooled ones."""

    @property
    def whole(self) -> Contents | None:
        """All contents as one JSON array, where the spool has them so."""
        rows = self.rows
        if self.ready is None and isinstance(rows, Rows) and rows.around == ARRAY:
            return rows.contents
        return None

    def contents(self) -> Sequence[bytes]:
        return [row.content for row in self.rows] if self.ready is None else self.ready


class Presentation:
    """Batches of one kind, presented to one model.

    Args:
        policy: which failed calls are sent, by ``OTEL_EXPORTER_ARTHUR_ERRORS``.
    """

    def __init__(
        self,
        client: Callable[[], Client],
        schemas: Schemas,
        model: str,
        policy: str,
        attempt: Attempt,
    ) -> None:
        self._client = client
        self._schemas = schemas
        self._model = model
        self._policy = policy
        self._attempt = attempt

    def of(self, batches: Sequence[Batch]) -> Presented:
        """Send; does not raise."""
        outcomes = [BatchOutcome(batch) for batch in batches]
        try:
            # A request's imports take long on a busy machine, which is not Arthur's fault.
            self._client()
            self._attempt.begin()
            parts, contents = self._contents(outcomes)
            error = self._send(Kind(batches[0].kind), parts, contents) if contents else None
        except (ArthurError, SchemaError) as failure:
            error = failure
            for outcome in outcomes:
                outcome.postpone()
        notes: list[Note] = []
        if any(outcome.dead for outcome in outcomes):
            notes.append(self._note_of_the_dead(Kind(batches[0].kind), outcomes))
        return Presented(outcomes, None if error is None else _trouble(error), notes)

    def _contents(self, outcomes: Sequence[BatchOutcome]) -> tuple[list[_Part], Sequence[bytes]]:
        """The contents to present, and the batch of each, in the same order."""
        parts = [self._part(outcome) for outcome in outcomes]
        bodies = [whole for part in parts if (whole := part.whole) is not None]
        each = lambda: [content for part in parts for content in part.contents()]  # noqa: E731
        if len(bodies) < len(parts):
            return parts, each()
        body = bodies[0] if len(bodies) == 1 else b"[%s]" % b",".join([one[1:-1] for one in bodies])
        return parts, JsonArray(body, sum(len(part.rows) for part in parts), each)

    def _part(self, outcome: BatchOutcome) -> _Part:
        batch = outcome.batch
        if batch.kind == Kind.GROUND_TRUTH:
            return _Part(outcome, batch.rows, [renamed(row.content, row.id) for row in batch.rows])
        if batch.form == Form.ROW:
            return _Part(outcome, batch.rows)
        is_news = self._schemas.known(self._model) is None
        schema = self._schemas.fetched(self._model, timeout=self._attempt.timeout)
        if is_news:
            self._attempt.step()
        ready = [fitted(row.content, schema, self._policy) for row in batch.rows]
        outcome.skipped, outcome.skip_reason = ready.count(None), FAILED_CALL
        rows = [row for row, one in zip(batch.rows, ready, strict=True) if one is not None]
        return _Part(outcome, rows, [one for one in ready if one is not None])

    def _send(self, kind: Kind, parts: Sequence[_Part], contents: Sequence[bytes]) -> ArthurError | None:
        client = self._client()
        present = client.send_inferences if kind is Kind.INFERENCE else client.send_ground_truth
        attempt = self._attempt
        bisection = Bisection(
            lambda rows: present(self._model, rows, timeout=attempt.timeout),
            attempt.may_go_on,
            attempt.accept,
        )
        results = bisection.send(contents)
        if are_delivered(results):
            for part in parts:
                part.outcome.sent = len(part.rows)
            return bisection.error
        places = [(part.outcome, row) for part in parts for row in part.rows]
        for (outcome, row), content, result in zip(places, contents, results, strict=True):
            if result is not None and result.delivered:
                outcome.sent += 1
            else:
                self._place(outcome, row, content, result)
        return bisection.error

    def _place(self, outcome: BatchOutcome, row: Row, content: bytes, result: RowResult | None) -> None:
        """Give an undelivered row its outcome."""
        batch = outcome.batch
        if result is None:
            outcome.waiting.append(row)
        elif result.outcome is Outcome.RETRYABLE and batch.attempts < MAX_ATTEMPTS:
            _retry(outcome, row)
        elif batch.kind == Kind.GROUND_TRUTH and result.status == _NOT_FOUND:
            age = time.time() - batch.created
            if batch.attempts >= TRUTH_PATIENCE_ATTEMPTS and age > TRUTH_PATIENCE_SECONDS:
                outcome.dead.append(DeadLetter(row, reason_of(result)))
            else:
                _retry(outcome, row)
        elif (mended := self._mended(batch, content)) is not None:
            _retry(outcome, replace(row, content=mended) if batch.form == Form.ROW else row)
        else:
            outcome.dead.append(DeadLetter(row, reason_of(result)))

    def _mended(self, batch: Batch, content: bytes) -> bytes | None:
        """A refused row without the attributes that the model lost since; None if there are none."""
        if batch.kind != Kind.INFERENCE:
            return None
        try:
            schema = self._schemas.fetched(self._model, older_than=RECHECK_SECONDS)
        except (ArthurError, SchemaError):
            return None
        mended = refitted(content, schema)
        return None if mended == content else mended

    def _note_of_the_dead(self, kind: Kind, outcomes: Sequence[BatchOutcome]) -> Note:
        what, why = "inferences", ""
        if kind is Kind.GROUND_TRUTH:
            what = "ground truth"
            why = f": {_NO_TRUTH}" if self._explain_truths(outcomes) else ""
        # Arthur's own words may quote a text, so only the dead letter has them.
        return Note(
            f"dead letters of {self._model}: {what}",
            f"Arthur refused {what} of model {self._model} for good{why}; "
            "`otel-arthur spool dead-letters list` says why",
        )

    def _explain_truths(self, outcomes: Sequence[BatchOutcome]) -> bool:
        """Say that the model takes no ground truth, if so; returns whether it is so."""
        try:
            takes_none = not self._schemas.fetched(self._model).ground_truth
        except (ArthurError, SchemaError):
            return False
        is_explained = False
        for outcome in outcomes if takes_none else ():
            for position, (row, reason) in enumerate(outcome.dead):
                # For an inference that Arthur does not know, this is the reason.
                if not reason.startswith(str(_NOT_FOUND)):
                    outcome.dead[position] = DeadLetter(row, f"{reason} ({_NO_TRUTH})")
                    is_explained = True
        return is_explained


def _retry(outcome: BatchOutcome, row: Row) -> None:
    outcome.waiting.append(row)
    outcome.is_attempt = True


def _trouble(error: ArthurError | SchemaError) -> Trouble:
    retry_after = error.retry_after if isinstance(error, ArthurError) else None
    return Trouble(str(error), type(error).__name__, retry_after, isinstance(error, _TO_BE_MENDED))
