"""Bodies of large batches as files beside the index: a file is written and synced once, then only read.

SQLite would write each page twice, to its log and to its file (`docs/spool.md` has the measurements).
"""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Collection
from pathlib import Path
from typing import Final

INLINE_BYTES: Final = 32 * 1024
"""Up to here a body lies in the index: a file each would cost more than it saves."""
_SUFFIX: Final = ".rows"
_ORPHAN_SECONDS: Final = 600.0


def write(folder: Path, body: bytes) -> str:
    """Write a body durably; returns the name of its new file.

    Raises:
        OSError: the disk is full, or the folder is gone.
    """
    name = f"{uuid.uuid4().hex}{_SUFFIX}"
    path = folder / name
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    try:
        view = memoryview(body)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
    except BaseException:
        os.close(descriptor)
        remove(folder, [name])
        raise
    os.close(descriptor)
    _sync_folder(folder)
    return name


def read(folder: Path, name: str) -> bytes:
    """The body in a file.

    Raises:
        OSError: it cannot be read.
    """
    return (folder / name).read_bytes()


def remove(folder: Path, names: Collection[str]) -> None:
    """Delete files; one that is gone or cannot be deleted is left to `sweep`."""
    for name in names:
        try:
            (folder / name).unlink()
        except OSError:
            continue


def keep_aside(folder: Path, name: str) -> None:
    """Rename a damaged file, so that it is never read again but can be looked at."""
    try:
        (folder / name).rename(folder / f"{name}.damaged")
    except OSError:
        return


def sweep(folder: Path, known: Collection[str]) -> None:
    """Delete files that no batch names: their writer died before it committed, or before it deleted."""
    before = time.time() - _ORPHAN_SECONDS
    with os.scandir(folder) as entries:
        names = [
            entry.name
            for entry in entries
            if entry.name.endswith(_SUFFIX) and entry.name not in known and entry.stat().st_mtime < before
        ]
    remove(folder, names)


def _sync_folder(folder: Path) -> None:
    # The name of a new file is durable only with its folder (fsync(2)). Windows has no such call.
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
