"""The dashboard's questions to the database: one page of calls, sums, and sums over time."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, NamedTuple

from otel_arthur.local.dashboard.wanted import ORDERS, Wanted
from otel_arthur.local.store import Store

PAGE_SIZE: Final = 50
_MOST_POINTS: Final = 60
_STEPS: Final = (
    *(1_000, 5_000, 15_000, 60_000, 300_000, 900_000),
    *(3_600_000, 3 * 3_600_000, 6 * 3_600_000, 86_400_000, 7 * 86_400_000, 30 * 86_400_000),
)
"""Milliseconds that one point of a chart may stand for."""
_MOST_MESSAGES: Final = 10_000
_LONGEST_PATTERN: Final = 300
_VARIABLE: Final = re.compile(r"(?<!code )(?<!code: )(?<!status )\b\w*\d[\w.:-]*|\s*\n\s*", re.IGNORECASE)
"""What differs between two messages that say the same: ids, times, amounts; not the code of the answer."""
_SUMS: Final = (
    "count(*), sum(coalesce(status, '') = 'error'), sum(coalesce(tokens_in, 0)), sum(coalesce(tokens_out, 0))"
)


@dataclass(frozen=True, slots=True)
class Call:
    """A row of `calls`; see `database` for what each column is."""

    id: int
    inference: int | None
    span: int | None
    target: str
    identity: str
    ended: int
    is_first: int
    status: str | None
    error_type: str | None
    error_message: str | None
    finish_reason: str | None
    duration: float | None
    first_token: float | None
    tokens_in: int | None
    tokens_out: int | None
    model: str | None
    service: str | None
    conversation: str | None
    user: str | None
    trace: str | None

    @property
    def has_failed(self) -> bool:
        return self.status == "error"


_COLUMNS: Final = ", ".join(one.name for one in fields(Call))


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums over some calls: number, failures, tokens, and seconds."""

    name: str | None
    calls: int = 0
    failed: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    durations: Sequence[float] = ()
    """Percentiles 50, 95 and 99, where any call has a duration."""
    first_tokens: Sequence[float] = ()
    """The same of the time to first token."""


class Reason(NamedTuple):
    """Why some calls failed."""

    kind: str | None
    message: str | None
    """What the latest of them says."""
    pattern: str | None
    """The common part of their messages, for the filter ``message``."""
    calls: int
    ended: int
    """When the latest of them ended, in milliseconds since the epoch."""


@dataclass(frozen=True, slots=True)
class Calls:
    """The questions. Safe to use from any thread."""

    store: Store

    def version(self) -> str:
        """A number that changes with every change of the database."""
        ((changes,),) = self.store.read("SELECT total_changes()")
        ((of_others,),) = self.store.read("PRAGMA data_version")
        return f"{changes}-{of_others}"

    def call(self, number: int) -> Call | None:
        found = self._calls("id = ?", [number], "id", 1)
        return found[0] if found else None

    def count(self, wanted: Wanted) -> int:
        condition, arguments = wanted.condition()
        return self.store.read(f"SELECT count(*) FROM calls WHERE {condition}", arguments)[0][0]

    def page(self, wanted: Wanted) -> list[Call]:
        condition, arguments = wanted.condition()
        way = "ASC" if wanted.is_up else "DESC"
        order = f"{ORDERS[wanted.order]} {way}, id {way}"
        return self._calls(condition, arguments, order, PAGE_SIZE, (wanted.page - 1) * PAGE_SIZE)

    def neighbours(self, wanted: Wanted, call: Call) -> tuple[int | None, int | None]:
        """The ids of the calls before and after one, in order."""
        key = ORDERS[wanted.order]
        condition, arguments = wanted.condition()
        ((value,),) = self.store.read(f"SELECT {key} FROM calls WHERE id = ?", [call.id])
        found: list[int | None] = []
        for is_up in (not wanted.is_up, wanted.is_up):
            sign, way = (">", "ASC") if is_up else ("<", "DESC")
            rows = self.store.read(
                f"SELECT id FROM calls WHERE {condition} AND ({key}, id) {sign} (?, ?) "
                f"ORDER BY {key} {way}, id {way} LIMIT 1",
                [*arguments, value, call.id],
            )
            found.append(rows[0][0] if rows else None)
        return found[0], found[1]

    def after(self, wanted: Wanted, last: tuple[int, int], limit: int) -> list[Call]:
        """The next calls by time after the one with this ``ended`` and ``id``, for an export."""
        condition, arguments = wanted.condition()
        return self._calls(f"{condition} AND (ended, id) > (?, ?)", [*arguments, *last], "ended, id", limit)

    def values(self, column: str) -> list[str]:
        """The 200 most frequent values of a column."""
        rows = self.store.read(
            f"SELECT {column} FROM calls WHERE {column} IS NOT NULL "
            "GROUP BY 1 ORDER BY count(*) DESC LIMIT 200",
        )
        return [str(row[0]) for row in rows]

    def is_empty(self) -> bool:
        return not self.store.read("SELECT 1 FROM calls LIMIT 1")

    def sums(self, wanted: Wanted) -> Sums:
        return next(iter(self._grouped(wanted, "NULL")), Sums(None))

    def sums_by(self, wanted: Wanted, columns: Sequence[str]) -> dict[str, list[Sums]]:
        """By the values of each column, the most frequent first; without times to first token."""
        condition, arguments = wanted.condition()
        where = f"FROM calls WHERE {condition} AND is_first"
        # Sorted once for all columns, since sorting takes the time.
        sorted_rows = self.store.read(
            f"SELECT duration, {', '.join(columns)} {where} AND duration IS NOT NULL ORDER BY 1", arguments
        )
        found: dict[str, list[Sums]] = {}
        for place, column in enumerate(columns, 1):
            seconds: defaultdict[Any, list[float]] = defaultdict(list)
            for row in sorted_rows:
                seconds[row[place]].append(row[0])
            rows = self.store.read(f"SELECT {column}, {_SUMS} {where} GROUP BY 1 ORDER BY 2 DESC", arguments)
            found[column] = [_sums(row, durations=_percentiles(seconds[row[0]])) for row in rows]
        return found

    def reasons(self, wanted: Wanted) -> list[Reason]:
        """Why calls failed, the most frequent first: by kind and message, whatever its numbers are."""
        condition, arguments = wanted.condition()
        rows = self.store.read(
            "SELECT error_type, error_message, count(*), max(ended) FROM calls "
            f"WHERE {condition} AND is_first AND status = 'error' GROUP BY 1, 2 ORDER BY 4 DESC LIMIT ?",
            [*arguments, _MOST_MESSAGES],
        )
        found: dict[tuple[str | None, str | None], Reason] = {}
        for kind, message, count, ended in rows:
            pattern = message and _VARIABLE.sub("*", message[:_LONGEST_PATTERN]).strip()
            latest = found.get((kind, pattern)) or Reason(kind, message, pattern, 0, ended)
            found[kind, pattern] = latest._replace(calls=latest.calls + count)
        return sorted(found.values(), key=lambda reason: -reason.calls)

    def over_time(self, wanted: Wanted) -> tuple[int, list[tuple[int, Sums]]]:
        """Milliseconds of a step, and the sums of each step that had calls, by its beginning."""
        condition, arguments = wanted.condition()
        ((first, last),) = self.store.read(
            f"SELECT min(ended), max(ended) FROM calls WHERE {condition} AND is_first", arguments
        )
        if first is None:
            return _STEPS[0], []
        step = next((one for one in _STEPS if (last - first) / one <= _MOST_POINTS), 0)
        step = step or -(-(last - first) // _MOST_POINTS)
        return step, [(int(one.name or 0) * step, one) for one in self._grouped(wanted, f"ended / {step}")]

    def _calls(
        self, condition: str, arguments: Sequence[Any], order: str, limit: int, offset: int = 0
    ) -> list[Call]:
        rows = self.store.read(
            f"SELECT {_COLUMNS} FROM calls WHERE {condition} ORDER BY {order} LIMIT ? OFFSET ?",
            [*arguments, limit, offset],
        )
        return [Call(*row) for row in rows]

    def _grouped(self, wanted: Wanted, key: str) -> list[Sums]:
        condition, arguments = wanted.condition()
        where = f"FROM calls WHERE {condition} AND is_first"
        rows = self.store.read(f"SELECT {key}, {_SUMS} {where} GROUP BY 1 ORDER BY 1", arguments)
        seconds: list[dict[Any, Sequence[float]]] = []
        for column in ("duration", "first_token"):
            pairs = self.store.read(
                f"SELECT {key}, {column} {where} AND {column} IS NOT NULL ORDER BY 1, 2", arguments
            )
            groups = groupby(pairs, key=itemgetter(0))
            seconds.append({name: _percentiles([pair[1] for pair in group]) for name, group in groups})
        durations, first_tokens = seconds
        return [
            _sums(row, durations=durations.get(row[0], ()), first_tokens=first_tokens.get(row[0], ()))
            for row in rows
        ]


def _sums(row: Sequence[Any], **percentiles: Sequence[float]) -> Sums:
    name, *sums = row
    return Sums(None if name is None else str(name), *sums, **percentiles)


def _percentiles(seconds: Sequence[float]) -> Sequence[float]:
    """Percentiles 50, 95 and 99 (nearest rank) of sorted values; empty without any."""
    return [seconds[-(-len(seconds) * share // 100) - 1] for share in (50, 95, 99)] if seconds else ()
