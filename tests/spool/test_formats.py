"""Spools that earlier versions wrote are taken over; those of later versions are left alone."""

from __future__ import annotations

import sqlite3
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from otel_arthur.arthur.target.duplicates import ArthurJudge
from otel_arthur.spool.batches import NewBatch
from otel_arthur.spool.disk.index.disk_format import FORMAT
from otel_arthur.spool.errors import NewerFormat
from otel_arthur.spool.queue.leases import Terms
from otel_arthur.spool.rows import Row, unpack_keys
from otel_arthur.spool.spool import Spool
from tests.support.spans.spool_records import HERE, NUMBER

FORMAT_2 = Path(__file__).parent / "formats" / "format_2.sql"
"""Written by the version before format 3: a dead letter, two inferences, sixteen of the catalogue in a file,
ground truth for one of the two, and an inference that the duplicate window holds."""


def inference_id(number: int) -> str:
    return f"{number:032x}-{number:016x}-0"


def inference(number: int, size: int = 10) -> bytes:
    return b'{"partner_inference_id":"%s","inference_data":{"input_text":"%s"}}' % (
        inference_id(number).encode(),
        b"x" * size,
    )


@pytest.fixture
def older(spool_dir: Path) -> sqlite3.Connection:
    """The database of a spool of format 2, with its bodies."""
    (spool_dir / "bodies").mkdir(parents=True)
    (spool_dir / "bodies" / "large.rows").write_bytes(b"\n".join(inference(n, 3000) for n in range(4, 20)))
    database = sqlite3.connect(spool_dir / "spool.db")
    database.executescript(FORMAT_2.read_text())
    return database


def check_contents(spool: Spool) -> None:
    rows, catalogue = spool.lease(NUMBER, 1, Terms(rows=2)), spool.lease(NUMBER, 1, Terms())
    assert [(row.id, row.content) for batch in rows for row in batch.rows] == [
        (inference_id(n), inference(n)) for n in (2, 3)
    ]
    assert [(batch.form, [row.id for row in batch.rows]) for batch in catalogue] == [
        (2, [inference_id(n) for n in range(4, 20)])
    ]
    # Ground truth waits for its inference, as it did.
    assert spool.lease(NUMBER, 2, Terms()) == []
    assert spool.close_window(NUMBER, 10.0, ArthurJudge(), at_once=True) == 0
    (held,) = spool.lease(NUMBER, 1, Terms())
    assert [(row.id, row.group) for row in held.rows] == [(inference_id(20), inference_id(20)[:-2])]
    (letter,) = spool.letters()
    assert (letter.id, letter.row.content, letter.reason) == (inference_id(1), inference(1), "400 no")
    assert spool.resend([letter]) == 1
    (again,) = spool.lease(NUMBER, 1, Terms())
    assert [row.content for row in again.rows] == [inference(1)]


def test_format_2_is_taken_over(older: sqlite3.Connection, opened: Callable[..., Spool]) -> None:
    older.close()
    spool = opened()
    check_contents(spool)
    again = [Row(inference_id(n), inference(n), len(inference_id(n)) - 2) for n in (1, 2, 3, 30)]
    assert spool.append(HERE, NewBatch(1, again)) == (1, 3, 0)


def test_format_1_is_taken_over(older: sqlite3.Connection, opened: Callable[..., Spool]) -> None:
    for batch, packed in older.execute("SELECT batch, keys FROM recent_keys").fetchall():
        older.executemany(f"INSERT INTO keys_0 VALUES (?, {batch})", [(key,) for key in unpack_keys(packed)])
    older.commit()
    older.execute("DROP TABLE recent_keys")
    older.execute("PRAGMA user_version = 1")
    older.close()
    check_contents(opened())


@pytest.mark.parametrize("before", [3, 4])
def test_formats_3_and_4_are_taken_over(opened: Callable[..., Spool], spool_dir: Path, before: int) -> None:
    """Its bodies have no word of what is around and between the contents: there is nothing."""
    opened().close()
    head = msgspec.msgpack.encode([[3, 2], ["id-1", "id-2"], None, None, None])
    body = struct.pack(">I", len(head)) + head + b"onetw"
    database = sqlite3.connect(spool_dir / "spool.db")
    database.execute(
        "INSERT INTO batches (destination, kind, form, rows, bytes, checksum, created, held, ready_at, body, "
        "keys, framing) VALUES (?, 1, 1, 2, ?, ?, 1, 0, 0, ?, x'', 2)",
        (NUMBER, len(body), zlib.crc32(body), body),
    )
    database.execute("INSERT INTO duplicates VALUES (?, 'loser', 'id-1', 1, NULL)", (NUMBER,))
    database.execute("ALTER TABLE batches DROP COLUMN remaining")
    database.execute("DROP TABLE recent_duplicates")
    if before == 3:
        database.execute("DROP INDEX evidence_by_age")
        database.execute("ALTER TABLE evidence DROP COLUMN ended")
        database.execute("ALTER TABLE duplicates DROP COLUMN body")
    database.execute(f"PRAGMA user_version = {before}")
    database.commit()
    database.close()
    spool = opened()
    (batch,) = spool.lease(NUMBER, 1, Terms())
    assert batch.rows == [Row("id-1", b"one"), Row("id-2", b"tw")]
    with spool.store.index.snapshot() as index:
        assert spool.store.duplicates.winners(index, NUMBER, ["loser", "id-1"]) == {"loser": "id-1"}


def test_an_upgraded_spool_is_as_a_new_one(
    older: sqlite3.Connection, opened: Callable[..., Spool], spool_dir: Path, tmp_path: Path
) -> None:
    older.close()
    opened()
    Spool(tmp_path / "new", 1 << 30).close()

    def columns(folder: Path) -> dict[str, set[tuple[object, ...]]]:
        database = sqlite3.connect(folder / "spool.db")
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {
            # Name, type, NOT NULL and default, whatever the order.
            name: {row[1:5] for row in database.execute(f"PRAGMA table_info({name})")}
            for name in tables
        }
        found["indexes"] = set(database.execute("SELECT name FROM sqlite_master WHERE type = 'index'"))
        database.close()
        return found

    assert columns(spool_dir) == columns(tmp_path / "new")


def test_a_newer_format_is_left_alone(opened: Callable[..., Spool], spool_dir: Path) -> None:
    opened().close()
    database = sqlite3.connect(spool_dir / "spool.db")
    database.execute(f"PRAGMA user_version = {FORMAT + 96}")
    database.close()
    with pytest.raises(NewerFormat, match=f"format {FORMAT + 96}"):
        opened()
    assert (spool_dir / "spool.db").exists()
