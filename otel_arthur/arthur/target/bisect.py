"""The rows of one request to Arthur, and the outcome of each: halving, poison rows, doubt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from otel_arthur.arthur.errors import PayloadTooLarge, Refused
from otel_arthur.arthur.rows import Outcome, RowResult, are_delivered
from otel_arthur.http.errors import ArthurError

BISECTED_STATUSES: Final = frozenset({400, 422})
"""Statuses with which Arthur may refuse a whole request for one row."""
_MAX_LONE_REFUSALS: Final = 3

Results = list[RowResult | None]
"""Results in the order of the rows; None where nothing is known of a row."""


class Bisection:
    """Presents rows, in halves where the request is too large or refused as a whole.

    Args:
        present: one request.
        may_go_on: asked before each request.
        accept: called after each request with the number of rows that Arthur accepted.
    """

    def __init__(
        self,
        present: Callable[[Sequence[bytes]], list[RowResult]],
        may_go_on: Callable[[], bool],
        accept: Callable[[int], None],
    ) -> None:
        self._present = present
        self._may_go_on = may_go_on
        self._accept = accept
        self._lone: list[RowResult] = []
        self._has_accepted = False
        self.error: ArthurError | None = None
        """Why rows have no result, where there was an error."""

    def send(self, rows: Sequence[bytes]) -> Results:
        """The results of rows; does not raise."""
        results = self._send(rows)
        if self.error is None:
            return results
        # Where each row alone is refused, the rows are not the cause.
        return [None if any(result is lone for lone in self._lone) else result for result in results]

    def _send(self, rows: Sequence[bytes]) -> Results:
        nothing: Results = [None] * len(rows)
        if self.error is not None or not self._may_go_on():
            return nothing
        try:
            answers = self._present(rows)
        except PayloadTooLarge as error:
            return self._halved(rows) if len(rows) > 1 else [_refusal(error)]
        except Refused as error:
            if error.status in BISECTED_STATUSES:
                return self._halved(rows) if len(rows) > 1 else self._refused(error)
            self.error = error
            return nothing
        except ArthurError as error:
            self.error = error
            return nothing
        delivered = len(answers) if are_delivered(answers) else sum(one.delivered for one in answers)
        self._accept(delivered)
        self._has_accepted = self._has_accepted or delivered > 0
        if self._has_accepted:
            self._lone.clear()
        return [*answers]

    def _halved(self, rows: Sequence[bytes]) -> Results:
        middle = len(rows) // 2
        return self._send(rows[:middle]) + self._send(rows[middle:])

    def _refused(self, error: Refused) -> Results:
        refusal = _refusal(error)
        if not self._has_accepted:
            self._lone.append(refusal)
            if len(self._lone) == _MAX_LONE_REFUSALS:
                self.error = error
        return [refusal]


def reason_of(result: RowResult) -> str:
    """Why a row is a dead letter."""
    return f"{result.status} {result.message}".strip()


def _refusal(error: ArthurError) -> RowResult:
    return RowResult(error.status or 0, error.detail or str(error), Outcome.REFUSED)
