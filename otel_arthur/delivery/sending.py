"""One request's worth of rows to Arthur, and the outcome of each: halving, poison rows, doubt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from otel_arthur.arthur.clients import Client
from otel_arthur.arthur.errors import ArthurError, PayloadTooLarge, Refused
from otel_arthur.arthur.rows import Outcome, RowResult
from otel_arthur.spool.records import Kind

BISECTED_STATUSES = frozenset({400, 422})
"""A whole request may be refused so because of one row in it."""
_MAX_LONE_REFUSALS = 3


@dataclass(frozen=True, slots=True)
class Sent:
    """Results in the order of the rows; None where nothing is known of a row."""

    results: list[RowResult | None]
    error: ArthurError | None
    """Why rows have no result, where there was an error."""


def send(
    client: Client,
    kind: Kind,
    model_id: str,
    rows: Sequence[bytes],
    is_over: Callable[[], bool],
    took: Callable[[int], None] = lambda _count: None,
    *,
    timeout: float | None = None,
) -> Sent:
    """Present rows, in halves where the request is too large or refused as a whole.

    Args:
        is_over: no request begins once this is true: the lease has ended, or the delivery.
        took: told how many rows Arthur accepted, after each request.
        timeout: of a request, in seconds; by default the client's.
    """
    present = client.send_inferences if kind is Kind.INFERENCE else client.send_ground_truth
    results: list[RowResult | None] = [None] * len(rows)
    lone: list[int] = []
    accepted = False
    parts = [(0, len(rows))]
    while parts:
        start, end = parts.pop()
        if is_over():
            break
        try:
            answers = present(model_id, rows[start:end], timeout=timeout)
        except PayloadTooLarge as error:
            if end - start == 1:
                results[start] = _refusal(error)
            else:
                parts += _halves(start, end)
            continue
        except Refused as error:
            if error.status not in BISECTED_STATUSES:
                return Sent(results, error)
            if end - start > 1:
                parts += _halves(start, end)
                continue
            results[start] = _refusal(error)
            lone.append(start)
            if len(lone) >= _MAX_LONE_REFUSALS and not accepted:
                # Each row alone is refused: it is not the rows.
                for index in lone:
                    results[index] = None
                return Sent(results, error)
            continue
        except ArthurError as error:
            return Sent(results, error)
        results[start:end] = answers
        delivered = sum(answer.delivered for answer in answers)
        accepted = accepted or delivered > 0
        took(delivered)
    return Sent(results, None)


def reason_of(result: RowResult) -> str:
    """Why a row is a dead letter."""
    return f"{result.status} {result.message}".strip()


def _halves(start: int, end: int) -> list[tuple[int, int]]:
    middle = (start + end) // 2
    return [(middle, end), (start, middle)]


def _refusal(error: ArthurError) -> RowResult:
    return RowResult(error.status or 0, error.detail or str(error), Outcome.REFUSED)
