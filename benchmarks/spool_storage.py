"""Which storage for the spool: rows per CPU second, appended durably, leased, read and deleted.

    python benchmarks/spool_storage.py [--processes 1 4]

Batches of 512 rows of 2.3 kB, each process with its own handle on one shared folder. Compared: SQLite with
a row per record; SQLite with a blob per batch; files alone, one per batch (no shared keys, no books: the
floor of what a file costs); and the spool as it is, SQLite for the index and files for bodies.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sqlite3
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from otel_arthur.spool.batches import BatchOutcome, NewBatch
from otel_arthur.spool.destination import Destination
from otel_arthur.spool.queue.leases import Terms
from otel_arthur.spool.rows import Row
from otel_arthur.spool.spool import Spool

ROWS, BATCHES = 512, 30
TEXT = os.urandom(1100).hex().encode()


def records() -> list[Row]:
    ids = [f"{os.urandom(16).hex()}-{os.urandom(8).hex()}-0" for _ in range(ROWS)]
    return [
        Row(i, b'{"partner_inference_id":"%s","inference_data":{"t":"%s"}}' % (i.encode(), TEXT)) for i in ids
    ]


def _connect(folder: Path, *schema: str) -> sqlite3.Connection:
    database = sqlite3.connect(folder / "bench.db", timeout=60, isolation_level=None)
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("PRAGMA synchronous = FULL")
    for statement in schema:
        database.execute(statement)
    return database


def sqlite_rows(folder: Path) -> Callable[[list[Row]], None]:
    database = _connect(
        folder,
        "CREATE TABLE IF NOT EXISTS rows (number INTEGER PRIMARY KEY, id TEXT UNIQUE, owner TEXT, row BLOB)",
        "CREATE TABLE IF NOT EXISTS known (id TEXT PRIMARY KEY) WITHOUT ROWID",
    )
    owner = str(os.getpid())

    def once(batch: list[Row]) -> None:
        database.execute("BEGIN IMMEDIATE")
        database.executemany(
            "INSERT OR IGNORE INTO rows (id, row) SELECT ?1, ?2 WHERE NOT EXISTS "
            "(SELECT 1 FROM known WHERE id = ?1)",
            [(record.id, record.content) for record in batch],
        )
        database.execute("COMMIT")
        database.execute("BEGIN IMMEDIATE")
        found = database.execute("SELECT number, id, row FROM rows WHERE owner IS NULL LIMIT 512").fetchall()
        numbers = [(owner, number) for number, *_ in found]
        database.executemany("UPDATE rows SET owner = ? WHERE number = ?", numbers)
        database.execute("COMMIT")
        database.execute("BEGIN IMMEDIATE")
        database.executemany("DELETE FROM rows WHERE number = ?", [(number,) for _, number in numbers])
        database.executemany("INSERT OR IGNORE INTO known VALUES (?)", [(row[1],) for row in found])
        database.execute("COMMIT")

    return once


def sqlite_blobs(folder: Path) -> Callable[[list[Row]], None]:
    database = _connect(
        folder,
        "CREATE TABLE IF NOT EXISTS blobs (number INTEGER PRIMARY KEY, owner TEXT, body BLOB)",
        "CREATE TABLE IF NOT EXISTS known (key INTEGER PRIMARY KEY)",
    )

    def once(batch: list[Row]) -> None:
        keys = [hash(record.id) for record in batch]
        body = b"\n".join(record.content for record in batch)
        database.execute("BEGIN IMMEDIATE")
        database.execute(f"SELECT key FROM known WHERE key IN ({','.join(map(str, keys))})").fetchall()
        database.executemany("INSERT OR IGNORE INTO known VALUES (?)", [(key,) for key in keys])
        number = database.execute("INSERT INTO blobs (body) VALUES (?)", (body,)).lastrowid
        database.execute("COMMIT")
        database.execute("UPDATE blobs SET owner = 'me' WHERE number = ?", (number,))
        database.execute("SELECT body FROM blobs WHERE number = ?", (number,)).fetchone()[0].split(b"\n")
        database.execute("DELETE FROM blobs WHERE number = ?", (number,))

    return once


def files(folder: Path) -> Callable[[list[Row]], None]:
    def once(batch: list[Row]) -> None:
        path = folder / f"{os.getpid()}-{time.monotonic_ns()}"
        with path.open("xb", buffering=0) as file:
            file.write(b"\n".join(record.content for record in batch))
            os.fsync(file.fileno())
        leased = path.rename(path.with_suffix(".leased"))
        leased.read_bytes().split(b"\n")
        leased.unlink()

    return once


def spool(folder: Path) -> Callable[[list[Row]], None]:
    opened = Spool(folder, 1 << 32)
    here = Destination("https://arthur.test", "key:1", "model")

    def once(batch: list[Row]) -> None:
        opened.append(here, NewBatch(1, batch))
        leased = opened.lease(here.number, 1, Terms())
        opened.finish([BatchOutcome(one, sent=len(one.rows)) for one in leased])

    return once


FORMS = {
    "sqlite, a row each": sqlite_rows,
    "sqlite, blobs": sqlite_blobs,
    "files alone": files,
    "spool": spool,
}


def _work(name: str, folder: str, spent: multiprocessing.Queue[float]) -> None:
    once = FORMS[name](Path(folder))
    total = 0.0
    for _ in range(BATCHES):
        batch = records()
        began = time.process_time()
        once(batch)
        total += time.process_time() - began
    spent.put(total)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--processes", type=int, nargs="*", default=[1, 4])
    context = multiprocessing.get_context("spawn")
    for count in parser.parse_args().processes:
        for name in FORMS:
            with tempfile.TemporaryDirectory() as folder:
                spent = context.Queue()
                workers = [context.Process(target=_work, args=(name, folder, spent)) for _ in range(count)]
                began = time.perf_counter()
                for worker in workers:
                    worker.start()
                cpu = sum(spent.get() for _ in workers)
                for worker in workers:
                    worker.join()
                rows = ROWS * BATCHES * count
                print(
                    f"{count} processes  {name:20} {rows / cpu:9,.0f} rows per CPU second"
                    f"  {cpu / rows * 1e6:5.1f} us each  {rows / (time.perf_counter() - began):9,.0f} rows/s"
                )


if __name__ == "__main__":
    main()
