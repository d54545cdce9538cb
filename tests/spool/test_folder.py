"""A person's folder is left alone: where the spool lies, and what is refused."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from otel_arthur.delivery.books.status import unaccounted_for
from otel_arthur.spool.batches import BatchEvidence, BatchOutcome, DeadLetter, NewBatch
from otel_arthur.spool.errors import SpoolError
from otel_arthur.spool.fallback.backed import BackedSpool
from otel_arthur.spool.folder import make_own, place_of, settled
from otel_arthur.spool.queue.leases import Terms
from otel_arthur.spool.spool import Spool
from tests.support.paths import ROOT
from tests.support.processes.running import finished
from tests.support.spans.spool_records import HERE, KIND, NUMBER, batch, leased_ids, rows

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="other users need the superuser")
ALICE = 65_533
OURS = f"otel-arthur-{os.geteuid()}"


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder that other users can reach, as they cannot reach pytest's."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@contextmanager
def being(user: int) -> Iterator[None]:
    os.seteuid(user)
    try:
        yield
    finally:
        os.seteuid(0)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("of_folder", [0o1777, 0o755, 0o750])
def test_a_folder_that_others_may_enter_keeps_its_mode(spool_dir: Path, of_folder: int) -> None:
    spool_dir.mkdir()
    spool_dir.chmod(of_folder)
    spool = BackedSpool(spool_dir, 1 << 30)
    assert spool.append(HERE, batch(30, 5000)).new == 30
    spool.close()
    assert mode(spool_dir) == of_folder
    assert [path.name for path in spool_dir.iterdir()] == [OURS]
    assert mode(spool_dir / OURS) == 0o700
    assert spool.folder == spool_dir / OURS


@pytest.mark.parametrize("is_there", [True, False], ids=["private", "missing"])
def test_a_folder_of_ours_is_used_as_it_is(spool_dir: Path, is_there: bool) -> None:
    if is_there:
        spool_dir.mkdir(mode=0o700)
    spool = BackedSpool(spool_dir / "deeper" if not is_there else spool_dir, 1 << 30)
    spool.append(HERE, batch(1))
    spool.close()
    assert spool.folder is not None
    assert (spool.folder / "spool.db").exists()
    assert spool.folder.name != OURS
    assert mode(spool.folder) == 0o700


@pytest.mark.parametrize("name", ["spool.db", "spool.db-wal", "spool.db-shm", "bodies", "owners"])
def test_planted_links_are_not_followed(spool_dir: Path, tmp_path: Path, name: str) -> None:
    victim = tmp_path / "victim"
    if name.startswith("spool"):
        victim.write_bytes(b"a letter")
    else:
        victim.mkdir()
    spool_dir.mkdir(mode=0o700)
    (spool_dir / name).symlink_to(victim)
    spool = BackedSpool(spool_dir, 1 << 30)
    # Kept in memory, and leased from there: nothing is lost.
    assert spool.keep(HERE, batch(30, 5000))[1] == 30
    assert "is a link" in spool.why
    assert len(spool.lease(NUMBER, KIND, Terms())) == 1
    spool.close()
    assert victim.read_bytes() == b"a letter" if victim.is_file() else not list(victim.iterdir())
    assert mode(victim) & 0o044


@as_root
def test_the_folder_of_another_user_is_refused(home: Path) -> None:
    home.chmod(0o1777)
    planted = home / OURS
    planted.mkdir(mode=0o777)
    os.chown(planted, ALICE, ALICE)
    with pytest.raises(SpoolError, match="belongs to another user"):
        settled(home)
    link = home / "link"
    link.symlink_to(planted)
    os.chown(link, ALICE, ALICE, follow_symlinks=False)
    with pytest.raises(SpoolError, match="a link of another user"):
        settled(link)


@as_root
@pytest.mark.parametrize("is_there", [True, False], ids=["her folder", "no folder yet"])
def test_the_superuser_does_not_shut_a_user_out(home: Path, is_there: bool) -> None:
    os.chown(home, ALICE, ALICE)
    folder = home / "spool"
    if is_there:
        folder.mkdir(mode=0o700)
        os.chown(folder, ALICE, ALICE)
    spool = BackedSpool(folder, 1 << 30)
    assert spool.append(HERE, batch(30, 5000)).new == 30
    spool.close()
    with being(ALICE):
        hers = BackedSpool(folder, 1 << 30)
        assert hers.folder == folder
        assert hers.keep(HERE, batch(30, 5000, start=30)) == ((30, 0, 0), 0)
        hers.close()
    assert {path.name for path in folder.iterdir() if path.stat().st_uid == 0} == {OURS}


@as_root
def test_what_the_superuser_left_in_a_users_folder_does_not_shut_her_out(home: Path) -> None:
    folder = home / "spool"
    folder.mkdir(mode=0o700)
    os.chown(folder, ALICE, ALICE)
    Spool(folder, 1 << 30).close()  # as versions before this one did
    with being(ALICE):
        hers = BackedSpool(folder, 1 << 30)
        assert hers.folder == folder / f"otel-arthur-{ALICE}"
        assert hers.keep(HERE, batch(30, 5000)) == ((30, 0, 0), 0)
        hers.close()


def test_a_spool_in_the_outer_folder_is_still_drained(spool_dir: Path, opened: Callable[..., Spool]) -> None:
    spool_dir.mkdir(mode=0o700)
    before = opened()
    before.append(HERE, batch(3))
    (leased,) = before.lease(NUMBER, KIND, Terms())
    letter = DeadLetter(leased.rows[0], "no")
    before.finish([BatchOutcome(leased, sent=1, dead=[letter], waiting=[*leased.rows[2:]])])
    before.append(HERE, batch(30, 5000, start=3))
    before.append(HERE, NewBatch(KIND, rows(1, start=33), evidence=BatchEvidence("a\nb", b"e"), hold=3600.0))
    before.close()
    spool_dir.chmod(0o755)
    spool = BackedSpool(spool_dir, 1 << 30)
    assert spool.folder == spool_dir / OURS
    spool.tidy(None)
    spool.tidy(None)
    found = spool.status().destinations[0]
    assert (found.waiting, found.kinds[KIND].held, found.dead_letters) == (32, 1, 1)
    assert [one.id for one in spool.letters()] == ["id-0"]
    assert leased_ids(spool) == [f"id-{n}" for n in range(2, 33)]
    spool.close()
    emptied = opened().status().destinations[0]
    assert emptied.outcomes[KIND]["moved"] == 33
    for one in (found, emptied):
        assert unaccounted_for(one) == 0


def test_the_place_of_a_file_is_an_error(spool_dir: Path) -> None:
    spool_dir.write_text("a file")
    with pytest.raises(NotADirectoryError):
        place_of(spool_dir)


@pytest.mark.parametrize("name", ["bodies", "owners"])
def test_a_folder_that_was_removed_with_the_one_around_it_is_as_private_as_before(
    tmp_path: Path, name: str
) -> None:
    spool = tmp_path / "spool"
    make_own(spool / name)
    assert (mode(spool), mode(spool / name)) == (0o700, 0o700)


@as_root
def test_a_folder_that_nobody_may_enter_for_a_while_is_not_gone(home: Path) -> None:
    above = home / "hers"
    above.mkdir(mode=0o700)
    os.chown(above, ALICE, ALICE)
    with being(ALICE):
        spool = Spool(above / "spool", 1 << 30)
        spool.append(HERE, batch(30, 5000))
        above.chmod(0)
        with pytest.raises(OSError, match="Permission"):
            spool.append(HERE, batch(3))
        assert spool.lost() == ({}, None)
        above.chmod(0o700)
        assert spool.lost() == ({}, None)
        assert len(leased_ids(spool)) == 30
        spool.close()


_CLOSES_A_WINDOW = """
import dataclasses, sys
from pathlib import Path
from otel_arthur.arthur.target.duplicates import ArthurJudge
from otel_arthur.spool.batches import BatchEvidence
from otel_arthur.spool.queue.leases import Terms
from otel_arthur.spool.spool import Spool
from tests.support.spans.spool_records import HERE, KIND, NUMBER, batch
spool = Spool(Path(sys.argv[1]), 1 << 30)
for start in range(0, 400, 20):
    held = dataclasses.replace(batch(20, 1000, start), evidence=BatchEvidence("a", b"[]"), hold=3600.0)
    spool.append(HERE, held)
spool.close_window(NUMBER, 3600.0, ArthurJudge(), at_once=True)
assert len(spool.lease(NUMBER, KIND, Terms())) == 20
"""


def test_nothing_is_written_outside_of_the_folder(tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    before = temporary.stat().st_mtime_ns
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "SQLITE_TMPDIR": str(temporary)}
    command = [sys.executable, "-c", _CLOSES_A_WINDOW, str(tmp_path / "spool")]
    done = finished(command, env=environ)
    assert done.returncode == 0, done.stderr
    # SQLite deletes such a file as soon as it has made it.
    assert temporary.stat().st_mtime_ns == before
