"""The SQLite file of local Arthur: opened, made where missing, recognised by its version."""

from __future__ import annotations

import os
import re
import sqlite3
from pathlib import Path
from typing import Final

IN_MEMORY: Final = ":memory:"
_SCHEMA_VERSION: Final = 4
_INFERENCES: Final = """
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE models (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  partner_model_id TEXT NOT NULL UNIQUE,
  document TEXT NOT NULL               -- JSON, as the API answers it
);
CREATE TABLE inferences (
  number INTEGER PRIMARY KEY,          -- order of arrival
  model_id TEXT NOT NULL REFERENCES models (id),
  partner_inference_id TEXT NOT NULL,
  presentation INTEGER NOT NULL,       -- 1, and more where repeated ids are accepted
  inference_timestamp TEXT NOT NULL,   -- UTC, six decimals: text order is time order
  batch_id TEXT,
  inference_data TEXT NOT NULL,        -- JSON
  ground_truth_timestamp TEXT,
  ground_truth_data TEXT,              -- JSON
  words TEXT NOT NULL,                 -- the id and all text, case folded, for the search
  UNIQUE (model_id, partner_inference_id, presentation)
);
CREATE INDEX inferences_by_time ON inferences (model_id, inference_timestamp, number);
CREATE INDEX inferences_by_time_of_all ON inferences (inference_timestamp, number);
"""
_TRACES: Final = """
CREATE TABLE engine_tasks (id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE engine_spans (
  number INTEGER PRIMARY KEY,          -- order of arrival
  task_id TEXT NOT NULL REFERENCES engine_tasks (id),
  trace_id TEXT NOT NULL,
  span_id TEXT NOT NULL,               -- not unique: the Engine stores a span as often as it comes
  parent_span_id TEXT,
  kind TEXT,
  name TEXT NOT NULL,
  start_ns INTEGER NOT NULL,
  end_ns INTEGER NOT NULL,
  status TEXT NOT NULL,
  attributes TEXT NOT NULL,            -- JSON
  prompt_tokens INTEGER,
  completion_tokens INTEGER,
  total_tokens INTEGER
);
CREATE INDEX engine_spans_by_trace ON engine_spans (trace_id, start_ns);
CREATE INDEX engine_spans_by_task ON engine_spans (task_id, start_ns);
CREATE INDEX engine_spans_by_span ON engine_spans (span_id);
CREATE TABLE engine_annotations (
  trace_id TEXT PRIMARY KEY, score INTEGER NOT NULL, description TEXT, time_ns INTEGER NOT NULL
) WITHOUT ROWID;
"""
_CALLS: Final = """
DROP TRIGGER IF EXISTS call_of_inference;
DROP TRIGGER IF EXISTS call_of_span;
DROP TABLE IF EXISTS calls;
CREATE TABLE calls (                   -- what the dashboard counts, filters and sorts, of both APIs
  id INTEGER PRIMARY KEY,              -- order of arrival
  inference INTEGER UNIQUE REFERENCES inferences (number),
  span INTEGER UNIQUE REFERENCES engine_spans (number),
  target TEXT NOT NULL,                -- id of the model or of the task
  identity TEXT NOT NULL,              -- partner_inference_id or span id
  ended INTEGER NOT NULL,              -- milliseconds since the epoch
  is_first INTEGER NOT NULL,           -- 0 for further answers of a call, and for repeated ids
  status TEXT, error_type TEXT, error_message TEXT, finish_reason TEXT,
  duration REAL, first_token REAL,     -- seconds
  tokens_in INTEGER, tokens_out INTEGER,
  model TEXT, service TEXT, conversation TEXT, user TEXT, trace TEXT
);
CREATE INDEX calls_by_time ON calls (ended, id);
CREATE INDEX calls_by_conversation ON calls (conversation, ended);
CREATE INDEX calls_by_trace ON calls (trace, ended);
INSERT INTO calls SELECT {of_inference} FROM inferences AS new;
INSERT INTO calls SELECT {of_span} FROM engine_spans AS new WHERE kind = 'LLM';
CREATE TRIGGER call_of_inference AFTER INSERT ON inferences
  BEGIN INSERT INTO calls SELECT {of_inference}; END;
CREATE TRIGGER call_of_span AFTER INSERT ON engine_spans WHEN new.kind = 'LLM'
  BEGIN INSERT INTO calls SELECT {of_span}; END;
"""
_OF_INFERENCE: Final = (
    "NULL",
    "new.number",
    "NULL",
    "new.model_id",
    "new.partner_inference_id",
    "CAST(round((julianday(new.inference_timestamp) - 2440587.5) * 86400000) AS INTEGER)",
    "new.presentation = 1 AND coalesce({choice_index}, 0) = 0",
    *("{status}", "{error_type}", "{error_message}", "{finish_reason}"),
    *("CAST({duration} AS REAL)", "CAST({time_to_first_token} AS REAL)"),
    *("CAST({prompt_tokens} AS INTEGER)", "CAST({completion_tokens} AS INTEGER)"),
    *("coalesce({model}, {request_model})", "{service_name}", "{conversation_id}", "{user_id}", "{trace_id}"),
)
"""The columns of `calls`; a name in braces is an attribute of the inference."""
_OF_SPAN: Final = (
    "NULL",
    "NULL",
    "new.number",
    "new.task_id",
    "new.span_id",
    "new.end_ns / 1000000",
    "1",
    "CASE new.status WHEN 'Error' THEN 'error' ELSE 'ok' END",
    *("{exception.type}", "{exception.message}", "{llm.finish_reason}"),
    "(new.end_ns - new.start_ns) / 1e9",
    "CASE WHEN json_valid({metadata}) THEN json_extract({metadata}, '$.time_to_first_token') END",
    *("new.prompt_tokens", "new.completion_tokens"),
    "{llm.model_name}",
    "(SELECT name FROM engine_tasks WHERE engine_tasks.id = new.task_id)",
    *("{session.id}", "{user.id}", "new.trace_id"),
)


def _columns(columns: tuple[str, ...], document: str) -> str:
    return re.sub(r"\{([\w.]+)\}", rf"""json_extract({document}, '$."\1"')""", ", ".join(columns))


_UPGRADES: Final = (
    _INFERENCES,
    _TRACES,
    "SELECT 1",  # a table of calls that the next version makes anew, from what is kept
    _CALLS.format(
        of_inference=_columns(_OF_INFERENCE, "new.inference_data"),
        of_span=_columns(_OF_SPAN, "new.attributes"),
    ),
)
"""The changes of each version to the one before."""


class StoreError(Exception):
    """The file cannot be used as local Arthur's database; the message names it and says why."""


def open_database(path: str) -> sqlite3.Connection:
    """A connection for all threads, without implicit transactions.

    A file is made with its folder where missing, readable by its owner only.

    Raises:
        StoreError: not a database, not ours, or of a newer version.
    """
    try:
        connection = _connect(path)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"cannot open the database {path}: {error}") from error
    try:
        _prepare(connection, path)
    except (sqlite3.Error, StoreError) as error:
        connection.close()
        if isinstance(error, StoreError):
            raise
        raise StoreError(f"cannot use the database {path}: {error}") from error
    return connection


def _connect(path: str) -> sqlite3.Connection:
    if path != IN_MEMORY:
        file = Path(path)
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Only the owner may read the file, which holds prompts and the API key. The -wal file takes its mode.
        os.close(os.open(file, os.O_RDWR | os.O_CREAT, 0o600))
    return sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)


def _prepare(connection: sqlite3.Connection, path: str) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    is_empty = connection.execute("SELECT 1 FROM sqlite_master").fetchone() is None
    if not version and not is_empty:
        raise StoreError(f"{path} is a database of something else; name another file with --db")
    if version > _SCHEMA_VERSION:
        raise StoreError(
            f"the database {path} has format {version}, written by a newer otel-arthur, and this one knows "
            f"{_SCHEMA_VERSION}: upgrade otel-arthur or name another file with --db"
        )
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    if version == _SCHEMA_VERSION:
        return
    # Two processes may make the same file at once: the second finds the version when its turn comes.
    connection.execute("BEGIN IMMEDIATE")
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    for addition in _UPGRADES[version:]:
        for statement in addition.split(";\n"):
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {_SCHEMA_VERSION}")
    connection.execute("COMMIT")
