"""Bodies of large batches as files beside the index: a file is written and synced once, then only read.

SQLite would write each page twice, to its log and to its file (`docs/spool.md` has the measurements).
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import threading
import time
import uuid
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from otel_arthur.spool.disk.format_2 import rows_of_lines
from otel_arthur.spool.disk.reserve import has_room
from otel_arthur.spool.folder import make_own
from otel_arthur.spool.rows import FRAMED, HEAD_START, Contents, Row, Rows, head_size, packed, unframed

INLINE_BYTES: Final = 32 * 1024
"""Up to here a body lies in the index: a file each would cost more than it saves."""
KEPT_BYTES: Final = 32 * 1024 * 1024
"""What 1,200 calls of 2.6 kB a second write while the duplicate window of ten seconds holds them."""
_KEPT_SECONDS: Final = 120.0
"""Rows that nobody asked for in this time were sent by another process, or wait for a target that fails."""
_SUFFIX: Final = ".rows"
_ORPHAN_SECONDS: Final = 600.0
_BINARY: Final = getattr(os, "O_BINARY", 0)
"""The flag of Windows without which a line feed is written as two bytes."""


class Body(NamedTuple):
    """The rows of a batch as they are kept."""

    size: int
    """Bytes."""
    checksum: int
    inline: bytes | None
    """The whole body, where it lies in the index."""
    file: str | None
    """The name of its file, where it has one."""
    framing: int = FRAMED
    remaining: bytes | None = None
    """A byte for each row, 0 for one that has left since; None where all are there."""


BODY_COLUMNS: Final = "bytes, checksum, body, file, framing, remaining"
"""Those of the index that make a `Body`, in its order."""


class _Kept(NamedTuple):
    """Rows of a file, in memory."""

    size: int
    rows: Rows
    until: float


def inline(rows: Sequence[Row]) -> Body:
    """Rows as a body in the index."""
    whole = b"".join(packed(rows).framed())
    return Body(len(whole), zlib.crc32(whole), whole, None)


def unpacked(whole: bytes, framing: int, kind: int) -> Rows:
    """The rows of a body.

    Raises:
        ValueError: it is none.
    """
    return unframed(whole) if framing == FRAMED else packed(rows_of_lines(whole, kind))


class Bodies:
    """The files of one spool. `folder` None: everything lies in the index.

    Rows just written stay in memory, `KEPT_BYTES` at most, as most are sent by their writer.
    """

    def __init__(self, folder: Path | None, kept_bytes: int = KEPT_BYTES) -> None:
        self.folder = folder
        self._kept_bytes = kept_bytes
        self._kept: dict[str, _Kept] = {}
        self._size = 0
        self._lock = threading.Lock()

    def write(self, rows: Sequence[Row], *, is_outcome: bool = False) -> Body:
        """Write rows durably to a new file, if they are many; few belong into the index.

        Args:
            is_outcome: the rows take the place of more rows, so they may have the last room.

        Raises:
            OSError: the disk is full.
        """
        whole = packed(rows)
        if self.folder is None or len(whole.contents) <= INLINE_BYTES:
            return inline(whole)
        make_own(self.folder)
        if not is_outcome and not has_room(self.folder, len(whole.contents)):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        name = f"{uuid.uuid4().hex}{_SUFFIX}"
        descriptor = os.open(self.folder / name, os.O_CREAT | os.O_EXCL | os.O_WRONLY | _BINARY, 0o600)
        try:
            size, checksum = _write(descriptor, whole.framed())
            os.fsync(descriptor)
        except BaseException:
            os.close(descriptor)
            self.remove([name])
            raise
        os.close(descriptor)
        _sync_folder(self.folder)
        self._keep(name, size, whole)
        return Body(size, checksum, None, name)

    def rows(self, body: Body, kind: int, *, is_last: bool = True) -> Rows | None:
        """The rows of a batch, wherever they lie; None where they differ from the rows that were written.

        Args:
            is_last: the rows leave now, so memory need not keep them.
        """
        try:
            rows = self._whole(body, kind, is_last=is_last)
            return None if rows is None else rows.only(body.remaining)
        except (ValueError, TypeError, LookupError, msgspec.DecodeError):  # an index may hold anything
            return None

    def _whole(self, body: Body, kind: int, *, is_last: bool) -> Rows | None:
        if body.file is not None:
            with self._lock:
                kept = self._kept.get(body.file)
            if is_last:
                self._forget(body.file)
            if kept is not None:
                return kept.rows
        head, rest = self._read(body)
        if zlib.crc32(rest, zlib.crc32(head)) != body.checksum:
            return None
        return unframed(head, rest) if head else unpacked(rest, body.framing, kind)

    def forget(self) -> None:
        """Keep nothing in memory."""
        with self._lock:
            self._kept.clear()
            self._size = 0

    def has(self, body: Body) -> bool:
        """Whether a body lies where it was written."""
        return body.file is None or self.folder is None or (self.folder / _name(body.file)).exists()

    def _read(self, body: Body) -> tuple[bytes, bytes]:
        """A batch's body, wherever it lies; OSError where it cannot be read now.

        Of a file the head by itself, so that the contents need not be copied out of the whole.
        """
        if body.inline is not None or self.folder is None or body.file is None:
            return b"", body.inline or b""
        with open(self.folder / _name(body.file), "rb", buffering=0, opener=_no_link) as found:
            size = head_size(found.read(HEAD_START)) if body.framing == FRAMED else 0
            found.seek(0)
            head = found.read(size) if size <= body.size else b""
            return head, found.read()

    def remove(self, names: Iterable[str | None]) -> None:
        """Delete files; one that cannot be deleted is left to the upkeep."""
        for name in names:
            if name is not None and self.folder is not None:
                self._forget(name)
                with contextlib.suppress(OSError):
                    (self.folder / _name(name)).unlink()

    def keep_aside(self, name: str | None) -> None:
        """Rename a damaged file, so that it is never read again but can be looked at."""
        if name is not None and self.folder is not None:
            with contextlib.suppress(OSError):
                (self.folder / _name(name)).rename(self.folder / f"{_name(name)}.damaged")

    def count(self) -> int:
        """Files there are, whether or not the index names them."""
        return 0 if self.folder is None else sum(1 for _ in self.folder.glob(f"*{_SUFFIX}"))

    def old(self) -> set[str]:
        """The files that were written long ago, by the clock of now."""
        if self.folder is None or not self.folder.is_dir():
            return set()
        before = time.time() - _ORPHAN_SECONDS
        with os.scandir(self.folder) as entries:
            return {
                entry.name
                for entry in entries
                if entry.name.endswith(_SUFFIX) and entry.stat().st_mtime < before
            }

    def _keep(self, name: str, size: int, rows: Rows) -> None:
        """Keep rows in memory if there is room. Rows that are there stay, for they leave first."""
        now = time.monotonic()
        with self._lock:
            for oldest in list(self._kept):
                if self._size + size <= self._kept_bytes or self._kept[oldest].until > now:
                    break
                self._drop(oldest)
            if self._size + size <= self._kept_bytes:
                self._kept[name] = _Kept(size, rows, now + _KEPT_SECONDS)
                self._size += size

    def _forget(self, name: str) -> None:
        with self._lock:
            self._drop(name)

    def _drop(self, name: str) -> None:
        kept = self._kept.pop(name, None)
        self._size -= 0 if kept is None else kept.size


def _name(name: str) -> str:
    """The path of a file in our folder, whatever name a damaged index gives."""
    return Path(name).name


def _no_link(path: str, flags: int) -> int:
    # A pipe in the place of a file would have us wait.
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))


def _write(descriptor: int, body: Sequence[Contents]) -> tuple[int, int]:
    """Write the parts of a body; returns its size and checksum."""
    checksum = 0
    for part in body:
        checksum = zlib.crc32(part, checksum)
    parts = [memoryview(part) for part in body]
    size = sum(map(len, parts))
    while parts:
        written = _gathered(descriptor, parts)
        while parts and written >= len(parts[0]):
            written -= len(parts.pop(0))
        if parts:
            parts[0] = parts[0][written:]
    return size, checksum


def _gathered(descriptor: int, parts: Sequence[memoryview]) -> int:
    """Bytes written of the parts in their order."""
    if sys.platform == "win32":
        return os.write(descriptor, b"".join(parts))
    return os.writev(descriptor, parts)


def _sync_folder(folder: Path) -> None:
    # The name of a new file is durable only with its folder (fsync(2)). Windows has no such call.
    if not hasattr(os, "O_DIRECTORY"):
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
