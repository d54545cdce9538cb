"""The answer to many rows: 207 with one status per row, in the order of the request."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from typing import Any, cast

from otel_arthur.arthur.errors import InDoubt
from otel_arthur.http.encoding import mapping
from otel_arthur.http.errors import RETRYABLE_STATUSES

_MAX_MESSAGE = 500
_EXISTS = re.compile(
    r"already\s+(exist|been|present|received)|duplicate\s+(key|id|inference|partner_inference_id)",
    re.IGNORECASE,
)


class Outcome(str, Enum):
    ACCEPTED = "accepted"
    ALREADY_EXISTS = "already_exists"
    """Arthur has a row of this id: an earlier acknowledgement was lost. A success."""
    REFUSED = "refused"
    """Refused for good: the same row gets the same answer."""
    RETRYABLE = "retryable"


@dataclass(frozen=True, slots=True)
class RowResult:
    """Arthur's word on one row."""

    status: int
    message: str = field(repr=False)
    """Arthur's text, at most 500 characters. The text may quote the row, so it is not for logs."""
    outcome: Outcome

    @property
    def delivered(self) -> bool:
        """Arthur has the row, from this request or an earlier one."""
        return self.outcome is Outcome.ACCEPTED or self.outcome is Outcome.ALREADY_EXISTS

    @classmethod
    def of(cls, status: int, message: str) -> RowResult:
        message = message[:_MAX_MESSAGE]
        if 200 <= status < 300:
            return _accepted(status, message)
        return RowResult(status, message, outcome_of(status, message))


@lru_cache(maxsize=16)
def _accepted(status: int, message: str) -> RowResult:
    """One object for nearly every row: Arthur accepts rows in the same words."""
    return RowResult(status, message, Outcome.ACCEPTED)


def are_delivered(results: Sequence[RowResult | None]) -> bool:
    """Whether all rows were accepted, seen at a glance: most answers share one result."""
    first = results[0] if results else None
    return first is not None and first.delivered and results.count(first) == len(results)


def outcome_of(status: int, message: str) -> Outcome:
    """The outcome by a row's status and, where a 400 may mean "exists", its message."""
    if 200 <= status < 300:
        return Outcome.ACCEPTED
    if says_exists(status, message):
        return Outcome.ALREADY_EXISTS
    if 400 <= status < 500 and status not in RETRYABLE_STATUSES:
        return Outcome.REFUSED
    # A status that HTTP does not know for a result leaves the row in doubt: present it again.
    return Outcome.RETRYABLE


def says_exists(status: int, message: str) -> bool:
    """Whether an answer means that Arthur has a row of this id already."""
    return status == 409 or (status in (400, 422) and _EXISTS.search(message) is not None)


def read_rows(body: Any, sent: int, what: str) -> list[RowResult]:
    """One result per row sent, from the parsed body of a 207.

    The rows' own statuses decide. Without them, the counts decide if they say that every row was taken.

    Raises:
        InDoubt: the answer does not have each row's outcome.
    """
    answer = mapping(body)
    counts = mapping(answer.get("counts"))
    failure, total = _integer(counts.get("failure")), _integer(counts.get("total"))
    listed = answer.get("results")
    rows = _rows(cast("list[Any]", listed)) if isinstance(listed, list) else []
    results = [row for row in rows if row is not None]
    if len(results) == len(rows) == sent:
        failed = len([row for row in results if not 200 <= row.status < 300])
        if (failure is None or failure == failed) and (total is None or total == sent):
            return results
        raise InDoubt(
            f"{what}: the counts of the answer ({failure} of {total} failed) contradict its rows "
            f"({failed} of {sent} failed)"
        )
    if failure == 0 and total == sent and all(row.delivered for row in results):
        return [RowResult.of(200, "accepted by count")] * sent
    raise InDoubt(f"{what}: the answer has {len(results)} readable results for {sent} rows")


def _rows(listed: list[Any]) -> list[RowResult | None]:
    """A result for each item; None for an item that is no result."""
    if _are_alike(listed):
        return [_row(listed[0])] * len(listed)
    seen: dict[tuple[int, str], RowResult] = {}
    rows: list[RowResult | None] = []
    for item in listed:
        if item.__class__ is dict:
            status, message = item.get("status"), item.get("message")
            if type(status) is int and type(message) is str:
                result = seen.get((status, message))
                if result is None:
                    result = seen[status, message] = RowResult.of(status, message)
                rows.append(result)
                continue
        rows.append(_row(item))
    return rows


def _are_alike(listed: list[Any]) -> bool:
    """Whether all rows have the same result, as in most answers."""
    first = listed[0] if listed else None
    if first.__class__ is not dict or listed.count(first) != len(listed):
        return False
    # 200.0 and True equal an integer without being one.
    return {item.get("status").__class__ for item in listed} == {int}


def _row(value: Any) -> RowResult | None:
    row = mapping(value)
    status, message = row.get("status"), row.get("message")
    status = _integer(status)
    return None if status is None else RowResult.of(status, message if isinstance(message, str) else "")


def _integer(value: Any) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
