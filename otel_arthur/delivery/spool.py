"""The spool: records that Arthur has not yet accepted, shared by threads, processes and restarts.

A batch is what was appended at once. It is leased to one sender at a time and leaves the spool
when each of its rows has an outcome. `docs/spool.md` describes format, keys and syncing.
"""

from __future__ import annotations

import sqlite3
import time
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from otel_arthur.delivery import bodies, keys
from otel_arthur.delivery.database import Connection
from otel_arthur.delivery.destination import Destination
from otel_arthur.delivery.owners import Owner
from otel_arthur.delivery.records import Form, Kind, Record, join, key_of, pack_keys, row_id, split

DATABASE_NAME: Final = "spool.db"
MAX_WAIT_SECONDS: Final = 86_400.0
"""No lease and no wait is longer: what says so was written before a clock was set back."""

_COLUMNS: Final = "number, destination, kind, form, rows, bytes, checksum, created, attempts, body, file"


class Appended(NamedTuple):
    """What became of records given to `Spool.append`."""

    new: int
    known: int
    """Their keys are waiting already, or were accepted not long ago."""
    refused: int = 0
    """The spool is full."""


class DeadLetter(NamedTuple):
    """A row that Arthur refused for good."""

    row: bytes
    reason: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Rows leased to one sender."""

    number: int
    destination: int
    kind: Kind
    form: Form
    created: float
    attempts: int
    rows: list[bytes] = field(repr=False)


@dataclass(slots=True)
class Settled:
    """The outcomes of one batch. Every row of it is in exactly one of these."""

    batch: Batch
    sent: int = 0
    dead: list[DeadLetter] = field(default_factory=list[DeadLetter])
    skipped: int = 0
    """Rows that turned out not to be wanted, with `skip_reason`."""
    skip_reason: str = ""
    waiting: list[bytes] = field(default_factory=list[bytes])
    """Rows to present again, after `wait` seconds."""
    wait: float = 0.0
    error: str | None = None


class Spool:
    """See the module. Safe to use from any thread; a forked child opens its own.

    Args:
        folder: None keeps everything in memory.
        max_bytes: of rows; what does not fit is refused.

    Raises:
        SpoolError, OSError, sqlite3.Error: the folder or its database cannot be used.
    """

    def __init__(self, folder: Path | None, max_bytes: int) -> None:
        self.folder = folder
        self._bodies = None if folder is None else folder / "bodies"
        self._max_bytes = max_bytes
        if folder is None or self._bodies is None:
            self._index = self.outcomes = Connection(None, durable=False)
        else:
            for path in (folder, self._bodies):
                path.mkdir(mode=0o700, parents=True, exist_ok=True)
                path.chmod(0o700)
            database = folder / DATABASE_NAME
            database.touch(mode=0o600, exist_ok=True)
            self._index = Connection(database, durable=True)
            self.outcomes = Connection(database, durable=False)
        self._owner = Owner(folder)
        self._numbers: dict[Destination, int] = {}

    def close(self) -> None:
        """Give back what is leased and close the database."""
        try:
            with self.outcomes.transaction() as index:
                index.execute("UPDATE batches SET owner = NULL WHERE owner = ?", (self._owner.name,))
        except sqlite3.Error:
            pass  # The leases expire by themselves.
        self._owner.close()
        self.outcomes.close()
        if self._index is not self.outcomes:
            self._index.close()

    def number_of(self, destination: Destination) -> int:
        """The destination's number in this spool."""
        number = self._numbers.get(destination)
        if number is None:
            key = (destination.endpoint, destination.identity, destination.model)
            with self._index.transaction() as index:
                index.execute(
                    "INSERT OR IGNORE INTO destinations (endpoint, identity, model) VALUES (?, ?, ?)", key
                )
                (number,) = index.execute(
                    "SELECT number FROM destinations WHERE endpoint = ? AND identity = ? AND model = ?", key
                ).fetchone()
            self._numbers[destination] = number
        return number

    def append(
        self,
        destination: int,
        kind: Kind,
        form: Form,
        records: Sequence[Record],
        *,
        evidence: tuple[str, bytes] | None = None,
        hold: float = 0.0,
        skipped: Mapping[str, int] | None = None,
    ) -> Appended:
        """Add records durably. Those whose key is known already are left out.

        Args:
            evidence: the scopes and the evidence of the calls, for `settlement`; with it the records
                are held for `hold` seconds.
            skipped: reason -> spans that were skipped on the way, to be counted in the same transaction.

        Raises:
            sqlite3.Error, OSError: nothing was added.
        """
        keyed = {key_of(destination, kind, record): record.row for record in records}
        body = join(keyed.values())
        file = self._write(body)
        now = time.time()
        try:
            with self._index.transaction() as index:
                known = keys.known(index, keyed)
                if known:
                    keyed = {key: row for key, row in keyed.items() if key not in known}
                    body = join(keyed.values())
                    self._remove(file)
                    file = self._write(body)
                repeated = len(records) - len(keyed)
                full = bool(keyed) and self._used(index) + len(body) > self._max_bytes
                if keyed and not full:
                    number = self._insert(
                        index, destination, kind, form, keyed, body, file, now, evidence, hold
                    )
                    keys.add(index, keyed, number)
                new, refused = (0, len(keyed)) if full else (len(keyed), 0)
                for outcome, count in (("appended", new), ("known", repeated), ("refused", refused)):
                    add(index, destination, kind, outcome, count)
                for reason, count in (skipped or {}).items():
                    add(index, destination, kind, "skipped", count, reason)
        except BaseException:
            self._remove(file)
            raise
        if full or not keyed:
            self._remove(file)
        return Appended(new, repeated, refused)

    def lease(
        self, destinations: Iterable[int], kind: Kind, *, max_rows: int, max_bytes: int, seconds: float
    ) -> list[Batch]:
        """The oldest batches of one destination that are due, now leased to us for `seconds`.

        Their rows together keep to the limits, but for a single batch that alone exceeds them.

        Raises:
            sqlite3.Error: nothing is leased.
        """
        now = time.time()
        for destination in destinations:
            damaged: list[tuple[Any, ...]] = []
            leased: list[Batch] = []
            with self.outcomes.transaction() as index:
                chosen = self._choose(index, destination, kind, now, max_rows, max_bytes)
                for row in chosen:
                    index.execute(
                        "UPDATE batches SET owner = ?, leased_until = ?, attempts = attempts + 1 "
                        "WHERE number = ?",
                        (self._owner.name, now + seconds, row[0]),
                    )
            for row in chosen:
                batch = self._open(row)
                if batch is None:
                    damaged.append(row)
                else:
                    leased.append(batch)
            self._drop_damaged(damaged)
            if leased:
                return leased
        return []

    def finish(self, results: Sequence[Settled]) -> None:
        """Record outcomes in one transaction: rows without one stay, leased to nobody.

        Raises:
            sqlite3.Error, OSError: nothing is recorded; the leases expire and the rows are presented again.
        """
        now = time.time()
        new_files: list[str | None] = []
        old_files: list[str] = []
        try:
            with self.outcomes.transaction() as index:
                for result in results:
                    batch = result.batch
                    row = index.execute(
                        "SELECT file FROM batches WHERE number = ? AND owner = ?",
                        (batch.number, self._owner.name),
                    ).fetchone()
                    if row is None:
                        continue  # The lease was lost: whoever has it now records the outcome.
                    if result.waiting and len(result.waiting) == len(batch.rows):
                        index.execute(
                            "UPDATE batches SET owner = NULL, ready_at = ? WHERE number = ?",
                            (now + result.wait, batch.number),
                        )
                    elif result.waiting:
                        new_files.append(
                            self.replace_rows(index, batch.number, result.waiting, now + result.wait)
                        )
                        old_files += [row[0]] if row[0] else []
                    else:
                        index.execute("DELETE FROM batches WHERE number = ?", (batch.number,))
                        old_files += [row[0]] if row[0] else []
                    self._record(index, result, now)
        except BaseException:
            for file in new_files:
                self._remove(file)
            raise
        self.remove_files(old_files)

    def replace_rows(
        self, index: sqlite3.Connection, number: int, rows: Sequence[bytes], ready_at: float | None = None
    ) -> str | None:
        """Put fewer rows in a batch's place, leased to nobody; returns the new file, if it has one.

        The file of the rows before is the caller's to remove once the transaction is committed.
        """
        body = join(rows)
        file = self._write(body)
        index.execute(
            "UPDATE batches SET owner = NULL, ready_at = ifnull(?, ready_at), rows = ?, bytes = ?, "
            "checksum = ?, body = ?, file = ? WHERE number = ?",
            (ready_at, len(rows), len(body), zlib.crc32(body), None if file else body, file, number),
        )
        return file

    def body(self, body: bytes | None, file: str | None) -> bytes:
        """A batch's body, wherever it lies; empty where its file cannot be read."""
        if body is not None or self._bodies is None or file is None:
            return body or b""
        try:
            return bodies.read(self._bodies, file)
        except OSError:
            return b""

    def remove_files(self, names: Sequence[str]) -> None:
        """Delete bodies that no batch has any more."""
        if self._bodies is not None:
            bodies.remove(self._bodies, names)

    def note_error(self, destination: int, error: str | None) -> None:
        """Keep the last error of a destination for `spool status`."""
        with self.outcomes.transaction() as index:
            index.execute(
                "UPDATE destinations SET last_error = ?, last_error_at = ? WHERE number = ?",
                (error, time.time() if error else None, destination),
            )

    def last_number(self) -> int:
        """The number of the newest batch there is."""
        return self.outcomes.read("SELECT ifnull(max(number), 0) FROM batches")[0][0]

    def waiting(self, destinations: Iterable[int], up_to: int | None = None) -> int:
        """Rows of these destinations that wait, leased or not, in batches up to a number."""
        listed = ",".join(str(number) for number in destinations)
        condition = "" if up_to is None else f" AND number <= {up_to}"
        return self.outcomes.read(
            f"SELECT ifnull(sum(rows), 0) FROM batches WHERE destination IN ({listed}){condition}"
        )[0][0]

    def _choose(
        self,
        index: sqlite3.Connection,
        destination: int,
        kind: Kind,
        now: float,
        max_rows: int,
        max_bytes: int,
    ) -> list[tuple[Any, ...]]:
        chosen: list[tuple[Any, ...]] = []
        rows = size = 0
        candidates = index.execute(
            f"SELECT {_COLUMNS}, owner, leased_until FROM batches WHERE destination = ? AND kind = ? "
            "AND held = 0 AND (ready_at <= ? OR ready_at > ?) ORDER BY number",
            (destination, kind, now, now + MAX_WAIT_SECONDS),
        )
        for candidate in candidates:
            owner, until = candidate[-2:]
            if owner is not None and now < until < now + MAX_WAIT_SECONDS and not self._owner.is_dead(owner):
                if kind is Kind.GROUND_TRUTH:
                    return []  # One sender at a time, so that a correction does not overtake.
                continue
            rows += candidate[4]
            size += candidate[5]
            if chosen and (rows > max_rows or size > max_bytes or candidate[3] != chosen[0][3]):
                break
            chosen.append(candidate)
            if rows >= max_rows:
                break
        candidates.close()
        return chosen

    def _open(self, row: tuple[Any, ...]) -> Batch | None:
        number, destination, kind, form, rows, _, checksum, created, attempts, body, file = row[:11]
        body = self.body(body, file)
        lines = split(body)
        if zlib.crc32(body) != checksum or len(lines) != rows:
            return None
        return Batch(number, destination, Kind(kind), Form(form), created, attempts + 1, lines)

    def _drop_damaged(self, damaged: Sequence[tuple[Any, ...]]) -> None:
        for row in damaged:
            with self.outcomes.transaction() as index:
                index.execute("DELETE FROM batches WHERE number = ?", (row[0],))
                add(index, row[1], row[2], "dropped", row[4], "damaged on disk")
            if self._bodies is not None and row[10]:
                bodies.keep_aside(self._bodies, row[10])

    def _record(self, index: sqlite3.Connection, result: Settled, now: float) -> None:
        batch = result.batch
        add(index, batch.destination, batch.kind, "sent", result.sent)
        add(index, batch.destination, batch.kind, "dead_letter", len(result.dead))
        add(index, batch.destination, batch.kind, "skipped", result.skipped, result.skip_reason)
        index.executemany(
            "INSERT INTO dead_letters (destination, kind, form, id, at, reason, bytes, row) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                (batch.destination, batch.kind, batch.form, row_id(row), now, reason, len(row), row)
                for row, reason in result.dead
            ],
        )

    def _insert(
        self,
        index: sqlite3.Connection,
        destination: int,
        kind: Kind,
        form: Form,
        keyed: Mapping[int, bytes],
        body: bytes,
        file: str | None,
        now: float,
        evidence: tuple[str, bytes] | None,
        hold: float,
    ) -> int:
        cursor = index.execute(
            "INSERT INTO batches (destination, kind, form, rows, bytes, checksum, created, held, ready_at, "
            "body, file, keys) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (
                destination,
                kind,
                form,
                len(keyed),
                len(body),
                zlib.crc32(body),
                now,
                evidence is not None and hold > 0,
                now + hold,
                None if file else body,
                file,
                pack_keys(list(keyed)),
            ),
        )
        number = cursor.lastrowid
        assert number is not None
        if evidence is not None:
            index.execute(
                "INSERT INTO evidence VALUES (?, ?, ?, ?, ?)", (number, destination, now, *evidence)
            )
        return number

    def _used(self, index: sqlite3.Connection) -> int:
        return index.execute("SELECT value FROM state WHERE name = 'bytes'").fetchone()[0]

    def _write(self, body: bytes) -> str | None:
        if self._bodies is None or len(body) <= bodies.INLINE_BYTES:
            return None
        return bodies.write(self._bodies, body)

    def _remove(self, file: str | None) -> None:
        if file is not None and self._bodies is not None:
            bodies.remove(self._bodies, [file])


def add(
    index: sqlite3.Connection, destination: int, kind: int, outcome: str, count: int, reason: str = ""
) -> None:
    """Add to a counter of the spool, inside the transaction of what it counts."""
    if count:
        index.execute(
            "INSERT INTO counters VALUES (?, ?, ?, ?, ?) "
            "ON CONFLICT DO UPDATE SET value = value + excluded.value",
            (destination, kind, outcome, reason, count),
        )
