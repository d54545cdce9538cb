"""Somebody changes the spool's index by hand: calls go on, and what is gone is counted."""

from __future__ import annotations

import contextlib
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

from otel_arthur.delivery import Delivery
from tests.support.books import balance
from tests.support.servers.faces import Face
from tests.support.servers.fault_server import FaultServer
from tests.support.spans.llm_calls import llm_calls
from tests.support.waiting import PATIENCE, eventually

Deliver = Callable[..., Delivery]


def change(spool: Path, statement: str) -> None:
    database = sqlite3.connect(spool / "spool.db", isolation_level=None, timeout=PATIENCE)
    database.execute(statement)
    database.close()


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE recent_keys SET keys = 'abc'",
        "DELETE FROM state",
        "UPDATE state SET value = 'abc'",
        "UPDATE state SET value = 1000000000000000 WHERE name = 'bytes'",
        "DROP TRIGGER batch_added",
        "DROP TABLE evidence",
    ],
)
def test_what_is_recorded_after_it_arrives(
    server: FaultServer, face: Face, deliver: Deliver, spool_dir: Path, statement: str
) -> None:
    delivery = deliver()
    first, calls = llm_calls(3), llm_calls(40, 3000)
    delivery.submit(first)
    assert delivery.flush(PATIENCE)
    change(spool_dir, statement)
    for start in range(0, 40, 10):
        assert delivery.submit(calls[start : start + 10]).refused == 0
    wanted = set(face.ids_of([*first, *calls]))
    eventually(lambda: wanted <= set(server.accepted_ids), "all calls arrive")
    delivery.shutdown(PATIENCE)
    balance(delivery.counts())


@pytest.mark.parametrize("value", ["'abc'", "7", "-1", "x'00'"])
def test_rows_that_are_held_for_no_reason_arrive(
    server: FaultServer, face: Face, deliver: Deliver, spool_dir: Path, value: str
) -> None:
    server.stop()
    delivery = deliver()
    calls = llm_calls(7)
    assert delivery.submit(calls).spooled == 7
    change(spool_dir, f"UPDATE batches SET held = {value}")
    server.start()
    eventually(lambda: set(face.ids_of(calls)) <= set(server.accepted_ids), "all calls arrive")
    delivery.shutdown(PATIENCE)
    balance(delivery.counts())


@pytest.mark.parametrize(
    ("lose", "reason"),
    [
        (lambda spool: change(spool, "DROP TABLE batches"), "damaged on disk"),
        (lambda spool: spool.rename(spool.with_name("elsewhere")), "gone from the disk"),
    ],
    ids=["a table is dropped", "the folder is moved away"],
)
def test_what_waited_there_is_counted_as_lost(
    server: FaultServer,
    face: Face,
    deliver: Deliver,
    spool_dir: Path,
    lose: Callable[[Path], None],
    reason: str,
) -> None:
    server.stop()
    delivery = deliver()
    assert delivery.submit(llm_calls(7)).spooled == 7
    lose(spool_dir)
    server.start()
    calls = llm_calls(5)
    assert delivery.submit(calls).refused == 0
    eventually(lambda: set(face.ids_of(calls)) <= set(server.accepted_ids), "what came later arrives")
    assert eventually(lambda: delivery.flush(5), "a flush that sees all sent")
    counts = delivery.counts()
    assert counts.lost == {reason: 7}
    balance(counts)


def test_a_damaged_body_is_counted_as_lost(server: FaultServer, deliver: Deliver, spool_dir: Path) -> None:
    server.stop()
    first = deliver()
    first.submit(llm_calls(20, 5000))
    first.shutdown(0.1)
    (body,) = (spool_dir / "bodies").glob("*.rows")
    body.write_bytes(body.read_bytes()[:-1] + b"?")
    server.start()
    second = deliver()
    second.start()
    assert eventually(lambda: second.flush(5), "a flush that sees all sent")
    assert second.counts().lost == {"damaged on disk": 20}


def _another_applications(index: Path) -> None:
    index.unlink()
    with contextlib.closing(sqlite3.connect(index)) as database:
        database.executescript("CREATE TABLE theirs (name TEXT)")


def _without_tables(index: Path) -> None:
    index.unlink()
    with contextlib.closing(sqlite3.connect(index)) as database:
        database.executescript("PRAGMA application_id = 1; VACUUM")


@pytest.mark.parametrize(
    "spoil",
    [
        Path.unlink,
        lambda index: index.write_bytes(b""),
        lambda index: index.write_bytes(index.read_bytes()[:50]),
        lambda index: index.write_bytes(index.read_bytes()[:-4096]),
        _without_tables,
        _another_applications,
    ],
    ids=["missing", "empty", "shorter than its header", "a page less", "no tables", "another application's"],
)
def test_bodies_without_their_index_are_kept_and_told(
    server: FaultServer,
    face: Face,
    deliver: Deliver,
    spool_dir: Path,
    invoke: Callable[..., Result],
    spoil: Callable[[Path], None],
) -> None:
    server.stop()
    first = deliver()
    first.submit(llm_calls(20, 5000))
    first.shutdown(0.1)
    # An index that is open leaves its log beside the one that takes its place.
    assert first._run.workers.stop(time.monotonic() + PATIENCE)
    first._spool.close()
    (body,) = (spool_dir / "bodies").glob("*.rows")
    spoil(spool_dir / "spool.db")
    server.start()
    second = deliver()
    assert second.submit(calls := llm_calls(20, 5000)).refused == 0
    assert second.flush(PATIENCE)
    second.shutdown(PATIENCE)
    assert sorted(server.accepted_ids) == sorted(face.ids_of(calls))
    (kept,) = spool_dir.glob(f"damaged-*/bodies/{body.name}")
    for command in ("status", "drain"):
        told = f"a damaged spool is kept in {kept.parent.parent}, with files of calls that were not sent: 1;"
        assert told in invoke(command).stderr
    assert invoke("drain").exit_code == 1


def test_a_wrong_count_of_bytes_is_put_right(deliver: Deliver, spool_dir: Path, server: FaultServer) -> None:
    server.stop()
    delivery = deliver(spool_max_bytes=1 << 20)
    assert delivery.submit(llm_calls(10, 5000)).spooled == 10
    change(spool_dir, "UPDATE state SET value = -1000000000 WHERE name = 'bytes'")
    delivery._spool.tidy(None)
    assert 50_000 < delivery._spool.bytes_used() < 400_000
    change(spool_dir, "UPDATE state SET value = 1000000000 WHERE name = 'bytes'")
    assert delivery.submit(llm_calls(10, 5000)).spooled == 10
    # And a spool that is full is full.
    assert delivery.submit(llm_calls(300, 5000)).refused == 300
