"""Spans, tasks and annotations of the Engine's API, in local Arthur's SQLite file; a trace as a tree."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

import orjson

from otel_arthur.local.engine.spans import UNMAPPED, Poison, ReceivedResource, ReceivedSpan
from otel_arthur.local.store import Store

_OF_SPAN: Final = tuple(one.name for one in fields(ReceivedSpan))
_COLUMNS: Final = ("number", "task_id", *_OF_SPAN)
_LISTED: Final = ", ".join(_COLUMNS)


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSpan(ReceivedSpan):
    """One row. A span that was sent twice is two rows."""

    number: int
    """Order of arrival, from 1."""
    task_id: str


@dataclass(frozen=True, slots=True)
class Traces:
    """The Engine's spans, tasks and annotations. Safe to use from any thread."""

    store: Store

    def add(self, resources: Sequence[ReceivedResource]) -> int:
        """Store all spans in one transaction; returns their number.

        Raises:
            Poison: a resource names a missing task; nothing was stored.
        """
        with self.store.transaction() as connection:
            stored = 0
            for resource in resources:
                task = self._task(connection, resource)
                for span in resource.spans:
                    connection.execute(
                        f"INSERT INTO engine_spans ({_LISTED}) VALUES (NULL{', ?' * (len(_COLUMNS) - 1)})",
                        (task, *_row(span)),
                    )
                    stored += 1
            return stored

    def spans(
        self,
        *,
        task_ids: Sequence[str] = (),
        trace_ids: Sequence[str] = (),
        span_ids: Sequence[str] = (),
        limit: int = 5000,
        offset: int = 0,
        descending: bool = False,
    ) -> tuple[int, list[StoredSpan]]:
        """The number of matching rows, and a page of them by start; an empty list of ids matches all."""
        wanted = {"task_id": task_ids, "trace_id": trace_ids, "span_id": span_ids}
        condition = " AND ".join(
            f"{column} IN ({', '.join('?' * len(values))})" for column, values in wanted.items() if values
        )
        arguments: list[Any] = [value for values in wanted.values() for value in values]
        where = f"WHERE {condition}" if condition else ""
        order = "DESC" if descending else "ASC"
        count = self.store.read(f"SELECT count(*) FROM engine_spans {where}", arguments)[0][0]
        rows = self.store.read(
            f"SELECT {_LISTED} FROM engine_spans {where} "
            f"ORDER BY start_ns {order}, number {order} LIMIT ? OFFSET ?",
            [*arguments, limit, offset],
        )
        return count, [_stored(row) for row in rows]

    def span(self, number: int) -> StoredSpan | None:
        rows = self.store.read(f"SELECT {_LISTED} FROM engine_spans WHERE number = ?", (number,))
        return _stored(rows[0]) if rows else None

    def trace_ids(self, task_ids: Sequence[str], limit: int, offset: int) -> tuple[int, list[str]]:
        """The number of traces of the tasks, and the ids of a page of them, newest first."""
        marks = ", ".join("?" * len(task_ids))
        where = f"WHERE task_id IN ({marks})" if task_ids else ""
        count = self.store.read(f"SELECT count(DISTINCT trace_id) FROM engine_spans {where}", task_ids)[0][0]
        rows = self.store.read(
            f"SELECT trace_id FROM engine_spans {where} GROUP BY trace_id "
            "ORDER BY min(start_ns) DESC LIMIT ? OFFSET ?",
            [*task_ids, limit, offset],
        )
        return count, [row[0] for row in rows]

    def tasks(self, name: str = "") -> list[tuple[str, str]]:
        """Id and name of the tasks whose name contains `name`, oldest first."""
        rows = self.store.read(
            "SELECT id, name FROM engine_tasks WHERE instr(lower(name), lower(?)) > 0 ORDER BY rowid", (name,)
        )
        return [(row[0], row[1]) for row in rows]

    def add_task(self, name: str) -> str:
        """The id of the task of this name, made where missing."""
        with self.store.transaction() as connection:
            return _task_of_name(connection, name)

    def annotate(self, trace_id: str, score: int, description: str | None) -> bool:
        """Set the one human annotation of a trace; returns whether the trace is known."""
        with self.store.transaction() as connection:
            known = connection.execute(
                "SELECT 1 FROM engine_spans WHERE trace_id = ?", (trace_id,)
            ).fetchone()
            if known is None:
                return False
            connection.execute(
                "INSERT OR REPLACE INTO engine_annotations VALUES (?, ?, ?, ?)",
                (trace_id, score, description, time.time_ns()),
            )
            return True

    def annotation(self, trace_id: str) -> tuple[int, str | None] | None:
        rows = self.store.read(
            "SELECT score, description FROM engine_annotations WHERE trace_id = ?", (trace_id,)
        )
        return (rows[0][0], rows[0][1]) if rows else None

    @staticmethod
    def _task(connection: Any, resource: ReceivedResource) -> str:
        if resource.task_id is None:
            return _task_of_name(connection, resource.service_name or UNMAPPED)
        if (
            connection.execute("SELECT 1 FROM engine_tasks WHERE id = ?", (resource.task_id,)).fetchone()
            is None
        ):
            raise Poison("insert or update on table spans violates foreign key constraint spans_task_id_fkey")
        return resource.task_id


def tree_of(spans: Sequence[StoredSpan]) -> list[tuple[int, StoredSpan]]:
    """Each span with its depth, from the root down, siblings by their start.

    A span whose parent is missing is a root too.
    """
    ids = {span.span_id for span in spans}
    below: dict[str | None, list[StoredSpan]] = {}
    for span in sorted(spans, key=lambda span: (span.start_ns, span.number)):
        parent = span.parent_span_id if span.parent_span_id in ids else None
        below.setdefault(parent, []).append(span)
    found: list[tuple[int, StoredSpan]] = []
    waiting = [(0, span) for span in reversed(below.pop(None, []))]
    while waiting:
        depth, span = waiting.pop()
        found.append((depth, span))
        waiting += [(depth + 1, child) for child in reversed(below.pop(span.span_id, []))]
    # A circle of parents has no root.
    return found + [(0, span) for rest in below.values() for span in rest]


def _task_of_name(connection: Any, name: str) -> str:
    row = connection.execute("SELECT id FROM engine_tasks WHERE name = ?", (name,)).fetchone()
    if row is not None:
        return row[0]
    task_id = str(uuid.uuid4())
    connection.execute("INSERT INTO engine_tasks VALUES (?, ?)", (task_id, name))
    return task_id


def _row(span: ReceivedSpan) -> tuple[Any, ...]:
    return tuple(
        orjson.dumps(span.attributes, default=str).decode() if name == "attributes" else getattr(span, name)
        for name in _OF_SPAN
    )


def _stored(row: Any) -> StoredSpan:
    values = dict(zip(_COLUMNS, row, strict=True))
    return StoredSpan(**{**values, "attributes": orjson.loads(values["attributes"])})
