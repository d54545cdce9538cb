"""The files in which large batches lie."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from otel_arthur.spool.disk import bodies
from otel_arthur.spool.disk.bodies import Bodies
from otel_arthur.spool.rows import Around, Packing, Row, Rows, packed

ROWS = [
    Row(f"id-{n}", b"%d\n\0%s" % (n, b"x" * (n % 97)), n % 5, "2" * (n % 2), ("id-7",) * (n % 3))
    for n in range(3000)
]


@pytest.mark.parametrize("at_once", [None, 1_000, 37])
def test_a_body_is_its_rows_however_little_the_disk_takes_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int | None
) -> None:
    def writev(descriptor: int, parts: Sequence[bytes]) -> int:
        return os.write(descriptor, b"".join(parts)[:at_once])

    if at_once is not None:
        monkeypatch.setattr(bodies.os, "writev", writev)
    files = Bodies(tmp_path)
    body = files.write(ROWS)

    (file,) = tmp_path.iterdir()
    assert (body.size, body.file, body.inline) == (file.stat().st_size, file.name, None)
    assert Bodies(tmp_path).rows(body, kind=1) == ROWS


@pytest.mark.parametrize("count", [0, 1, 3000])
def test_what_is_around_the_contents_is_in_the_body_and_in_no_row(tmp_path: Path, count: int) -> None:
    around = Around(b"[ ", b",\n", b"]")
    body = Bodies(tmp_path).write(packed(ROWS[:count], around))
    rows = Bodies(tmp_path).rows(body, kind=1)
    assert isinstance(rows, Rows)
    assert (rows, rows.around, len(rows)) == (ROWS[:count], around, count)
    contents = b",\n".join([row.content for row in ROWS[:count]])
    assert rows.contents == (b"[ %s]" % contents if count else b"")


def test_memory_is_used_again_when_nobody_looks_at_it_any_more() -> None:
    """Other rows are never seen through an earlier view."""

    def made(text: bytes) -> Rows:
        packing = Packing(Around(b"[", b",", b"]"))
        for number in range(300):
            packing.add(f"id-{number}", text, 0)
        return packing.rows()

    views: list[memoryview] = []
    for number in range(8):
        text = b"%d" % number * 5000
        rows = made(text)
        assert isinstance(rows.contents, memoryview)
        assert bytes(rows.contents) == b"[%s]" % b",".join([text] * 300)
        assert [row.content for row in rows] == [text] * 300
        if number % 2:
            views.append(rows.contents[:9])
    assert [view[5] for view in views] == list(b"1357")


@pytest.mark.parametrize("count", [2, 3000], ids=["in the index", "in a file"])
def test_rows_that_left_are_passed_over(tmp_path: Path, count: int) -> None:
    writer, rows = Bodies(tmp_path), packed(ROWS[:count], Around(b"[", b",", b"]"))
    body = writer.write(rows)._replace(remaining=b"\0\1" * (count // 2))
    for files in (writer, Bodies(tmp_path)):
        left = files.rows(body, kind=1)
        assert isinstance(left, Rows)
        assert (left, left.around) == (ROWS[1:count:2], rows.around)
    # Another word than a byte a row is damage.
    assert Bodies(tmp_path).rows(body._replace(remaining=b"\1"), kind=1) is None


def test_few_rows_need_no_file(tmp_path: Path) -> None:
    files = Bodies(tmp_path)
    assert files.rows(files.write(ROWS[:2]), kind=1) == ROWS[:2]
    assert files.rows(files.write([]), kind=1) == []
    assert not list(tmp_path.iterdir())


def test_a_full_disk_leaves_no_file_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int, _parts: Sequence[bytes]) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(bodies.os, "writev", full)
    with pytest.raises(OSError, match="No space"):
        Bodies(tmp_path).write(ROWS)
    assert not list(tmp_path.iterdir())


def test_rows_just_written_are_kept_within_a_bound_and_given_once(tmp_path: Path) -> None:
    size = Bodies(None).write(ROWS).size
    files = Bodies(tmp_path, kept_bytes=2 * size)
    written = [files.write(ROWS) for _ in range(3)]
    for body in written:
        (tmp_path / str(body.file)).write_bytes(b"damaged")
    assert [files.rows(body, kind=1) == ROWS for body in written] == [True, True, False]
    assert [files.rows(body, kind=1) for body in written] == [None, None, None]


def test_rows_of_a_removed_file_are_not_kept(tmp_path: Path) -> None:
    files = Bodies(tmp_path)
    body = files.write(ROWS)
    files.remove([body.file])
    with pytest.raises(FileNotFoundError):
        files.rows(body, kind=1)
