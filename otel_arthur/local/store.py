"""Local Arthur's models and inferences, in one SQLite file.

One connection, one lock: SQLite has one writer anyway, and a development server has few readers.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final

import orjson

from otel_arthur.local.bodies import leaves
from otel_arthur.local.database import IN_MEMORY, open_database
from otel_arthur.local.v3.models import Model
from otel_arthur.local.v3.rows import GroundTruthRow, InferenceRow


class ModelExists(Exception):
    """A model with that ``partner_model_id`` exists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredInference(InferenceRow):
    """One inference as it was accepted, with its ground truth where that has arrived."""

    number: int
    """Order of arrival over all models, from 1."""
    model_id: str
    presentation: int
    """1, or the number of rows with this id up to this one, where repeated ids are accepted."""


_NAMES: Final = tuple(one.name for one in fields(StoredInference))
_COLUMNS: Final = ", ".join(_NAMES)


@dataclass(frozen=True, slots=True)
class Page:
    """A part of the inferences that matched, newest first."""

    total: int
    inferences: tuple[StoredInference, ...]


class Store:
    """Models and inferences. Safe to use from any thread.

    Args:
        path: a file, created with its folder where missing and readable by its owner only,
            or ``:memory:``.

    Raises:
        StoreError: not a database, not ours, or of a newer version.
    """

    def __init__(self, path: Path | str = IN_MEMORY) -> None:
        self.path = str(path)
        self._lock = threading.RLock()
        self._connection = open_database(self.path)

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def setting(self, name: str, default: Callable[[], str]) -> str:
        """A value kept with the database, made by `default` the first time."""
        with self.transaction() as connection:
            row = connection.execute("SELECT value FROM settings WHERE name = ?", (name,)).fetchone()
            if row is not None:
                return row[0]
            value = default()
            connection.execute("INSERT INTO settings VALUES (?, ?)", (name, value))
            return value

    def add_model(self, document: dict[str, Any]) -> None:
        """Keep a model made by `models.new_document`.

        Raises:
            ModelExists: its ``partner_model_id`` is taken.
        """
        with self.transaction() as connection:
            try:
                connection.execute(
                    "INSERT INTO models (id, partner_model_id, document) VALUES (?, ?, ?)",
                    (document["id"], document["partner_model_id"], _json(document)),
                )
            except sqlite3.IntegrityError:
                raise ModelExists(document["partner_model_id"]) from None

    def model(self, identifier: str, *, by_partner_id: bool = False) -> Model | None:
        """A model by Arthur's id, or by the ``partner_model_id`` of its owner."""
        column = "partner_model_id" if by_partner_id else "id"
        rows = self.read(f"SELECT document FROM models WHERE {column} = ?", (identifier,))
        return Model.of(orjson.loads(rows[0][0])) if rows else None

    def models(self) -> tuple[Model, ...]:
        rows = self.read("SELECT document FROM models ORDER BY number")
        return tuple(Model.of(orjson.loads(row[0])) for row in rows)

    def add_inferences(
        self, model_id: str, rows: Sequence[InferenceRow], *, accept_duplicates: bool = False
    ) -> list[bool]:
        """Keep rows in one transaction; the answer says per row whether it was new and is kept.

        With `accept_duplicates` a repeated id is kept too, as a further presentation.
        """
        kept: list[bool] = []
        with self.transaction() as connection:
            for row in rows:
                (earlier,) = connection.execute(
                    "SELECT count(*) FROM inferences WHERE model_id = ? AND partner_inference_id = ?",
                    (model_id, row.partner_inference_id),
                ).fetchone()
                kept.append(not earlier or accept_duplicates)
                if kept[-1]:
                    connection.execute(
                        f"INSERT INTO inferences (words, {_COLUMNS}) "
                        "VALUES (?, ?, ?, ?, ?, ?, ?, NULL, ?, ?)",
                        (
                            _words(row.partner_inference_id, row.inference_data, row.ground_truth_data),
                            row.partner_inference_id,
                            row.inference_timestamp,
                            _json(row.inference_data),
                            row.batch_id,
                            row.ground_truth_timestamp,
                            None if row.ground_truth_data is None else _json(row.ground_truth_data),
                            model_id,
                            earlier + 1,
                        ),
                    )
        return kept

    def add_ground_truth(self, model_id: str, rows: Sequence[GroundTruthRow]) -> list[bool]:
        """Add ground truth to inferences; the answer says per row whether the inference is known.

        A later value of an attribute replaces the earlier one.
        """
        known: list[bool] = []
        with self.transaction() as connection:
            for row in rows:
                found = connection.execute(
                    f"SELECT {_COLUMNS} FROM inferences WHERE model_id = ? AND partner_inference_id = ?",
                    (model_id, row.partner_inference_id),
                ).fetchall()
                known.append(bool(found))
                for one in map(_stored, found):
                    data = {**(one.ground_truth_data or {}), **row.ground_truth_data}
                    connection.execute(
                        "UPDATE inferences SET ground_truth_timestamp = ?, ground_truth_data = ?, words = ? "
                        "WHERE number = ?",
                        (
                            row.ground_truth_timestamp,
                            _json(data),
                            _words(one.partner_inference_id, one.inference_data, data),
                            one.number,
                        ),
                    )
        return known

    def count(self, model_id: str, not_null: Sequence[tuple[str, str]] = ()) -> int:
        """The number of a model's inferences in which each of `not_null` has a value.

        `not_null` holds pairs of ``inference_data`` or ``ground_truth_data`` and an attribute's name.
        """
        condition = "model_id = ?"
        arguments: list[str] = [model_id]
        for column, name in not_null:
            if column not in ("inference_data", "ground_truth_data"):
                raise ValueError(column)
            condition += f" AND json_extract({column}, ?) IS NOT NULL"
            arguments.append(f'$."{name}"')
        return self.read(f"SELECT count(*) FROM inferences WHERE {condition}", arguments)[0][0]

    def inferences(
        self, model_id: str | None = None, *, search: str = "", limit: int = 100, offset: int = 0
    ) -> Page:
        """Inferences of one model or of all, newest first; `search` is text within id or values."""
        condition = "instr(words, ?) > 0" if search else "? = ''"
        arguments: list[Any] = [search.casefold()]
        if model_id is not None:
            condition += " AND model_id = ?"
            arguments.append(model_id)
        with self._lock:
            total = self.read(f"SELECT count(*) FROM inferences WHERE {condition}", arguments)[0][0]
            rows = self.read(
                f"SELECT {_COLUMNS} FROM inferences WHERE {condition} "
                "ORDER BY inference_timestamp DESC, number DESC LIMIT ? OFFSET ?",
                [*arguments, limit, offset],
            )
        return Page(total, tuple(map(_stored, rows)))

    def inference(self, number: int) -> StoredInference | None:
        rows = self.read(f"SELECT {_COLUMNS} FROM inferences WHERE number = ?", (number,))
        return _stored(rows[0]) if rows else None

    def read(self, statement: str, arguments: Sequence[Any] = ()) -> list[Any]:
        """The rows of a query, for rooms with tables of their own."""
        with self._lock:
            return self._connection.execute(statement, arguments).fetchall()

    @contextmanager
    def transaction(self) -> Generator[sqlite3.Connection, None, None]:
        """A connection to write with; all is kept, or nothing where an exception ends the block."""
        with self._lock:
            # IMMEDIATE: another process on the same file must not write between our look and our insert.
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")


def _stored(row: Any) -> StoredInference:
    values = dict(zip(_NAMES, row, strict=True))
    for name in ("inference_data", "ground_truth_data"):
        values[name] = orjson.loads(values[name] or "null")
    return StoredInference(**values)


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _words(*values: Any) -> str:
    """All text in the values, for the search, without the names of attributes."""
    texts = (leaf for leaf, is_key in leaves([*values]) if not is_key and leaf is not None)
    return "\n".join(map(str, texts)).casefold()
