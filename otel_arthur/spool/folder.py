"""Which folder a spool lies in: one that is ours alone, never a link, and nobody else's folder is changed."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final, NamedTuple

from otel_arthur.spool.errors import SpoolError

DATABASE_NAME: Final = "spool.db"
_OURS: Final = (DATABASE_NAME, "bodies", "owners")
_OTHERS: Final = 0o077
"""Mode bits of everybody but the owner."""

_first_seen: dict[Path, Path] = {}
"""Relative folder -> its first absolute path: an application may change its working folder later."""


class Place(NamedTuple):
    """Where the spool of a configured folder lies."""

    folder: Path
    outer: Path | None = None
    """A folder that itself holds a spool of ours, of a time when that folder was used as it is."""


def absolute(folder: Path) -> Path:
    """The absolute path of a folder; OSError where the application's working folder is gone."""
    if folder.is_absolute():
        return folder
    return _first_seen.setdefault(folder, folder.absolute())


def place_of(folder: Path) -> Place:
    """The folder itself where it is ours and private, or missing; else ``otel-arthur-<uid>`` inside, and also
    where our spool lies there already.

    Nothing is made and no mode is changed.

    Raises:
        OSError: nobody may look.
        SpoolError: another user has put a link there.
    """
    if not hasattr(os, "geteuid"):
        return Place(folder)
    try:
        _refuse_link_of_others(folder)
        found = folder.stat()
    except FileNotFoundError:
        return Place(folder)
    user = os.geteuid()
    if not stat.S_ISDIR(found.st_mode):
        raise NotADirectoryError(f"{folder} is no folder")
    inner = folder / f"otel-arthur-{user}"
    is_private = found.st_uid == user and not found.st_mode & _OTHERS and owner_of(inner) != user
    if is_private and all(_owner(folder / name) in (None, user) for name in _OURS):
        return Place(folder)
    is_emptied = _owner(folder / DATABASE_NAME) == user
    return Place(inner, folder if is_emptied else None)


def settled(folder: Path) -> Place:
    """As `place_of`, and what is missing is made, mode 0700.

    Raises:
        OSError: it cannot be made.
        SpoolError: it is a link, or another user's.
    """
    make_where_missing(folder)
    place = place_of(folder)
    if place.folder != folder:
        make_own(place.folder)
    return place


def make_where_missing(folder: Path) -> None:
    """Make a folder and those above it, mode 0700; one that is there stays as it is. Raises OSError."""
    if not folder.exists():
        with contextlib.suppress(FileExistsError):
            _make(folder)


def make_own(folder: Path) -> None:
    """Make a folder that only its owner can read, or check that the one that is there is ours.

    Raises:
        OSError: it cannot be made.
        SpoolError: it is a link, no folder, or another user's.
    """
    try:
        found = os.lstat(folder)
    except FileNotFoundError:
        # The one above is missing only where somebody removed the spool; Python makes that readable for all.
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(mode=0o700, exist_ok=True)
        found = os.lstat(folder)
    _check(folder, found, stat.S_ISDIR)
    if found.st_mode & _OTHERS and hasattr(os, "geteuid"):
        folder.chmod(0o700)


def check_file(path: Path) -> None:
    """Raise SpoolError where `path` is there, but no file of ours: a link may lead anywhere."""
    with contextlib.suppress(FileNotFoundError):
        _check(path, os.lstat(path), stat.S_ISREG)


def owner_of(folder: Path) -> int | None:
    """The user whose spool lies in a folder; None where there is none, or nobody may look."""
    try:
        return _owner(folder / DATABASE_NAME)
    except OSError:
        return None


def _check(path: Path, found: os.stat_result, is_right: Callable[[int], bool]) -> None:
    if not hasattr(os, "geteuid"):
        return
    kind = "a folder" if is_right is stat.S_ISDIR else "a file"
    if not is_right(found.st_mode):
        is_link = stat.S_ISLNK(found.st_mode)
        raise SpoolError(f"{path} is {'a link' if is_link else 'not ' + kind}; it is not used")
    if found.st_uid != os.geteuid():
        raise SpoolError(f"{path} belongs to another user ({found.st_uid}); it is not used")


def _refuse_link_of_others(folder: Path) -> None:
    found = os.lstat(folder)
    if stat.S_ISLNK(found.st_mode) and found.st_uid not in (0, os.geteuid()):
        raise SpoolError(f"{folder} is a link of another user ({found.st_uid}); it is not used")


def _owner(path: Path) -> int | None:
    try:
        return os.lstat(path).st_uid
    except FileNotFoundError:
        return None


def _make(folder: Path) -> None:
    """Make a folder and those above it; inside a user's folder the superuser makes them for that user."""
    make_where_missing(folder.parent)
    folder.mkdir(mode=0o700)
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return
    above = folder.parent.stat()
    if above.st_uid == 0:
        return
    # By its descriptor, and only what is empty: the user may have put something else in its place meanwhile.
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        with os.scandir(descriptor) as entries:
            is_new = not any(entries)
        if is_new and os.fstat(descriptor).st_uid == 0:
            os.fchown(descriptor, above.st_uid, above.st_gid)
    finally:
        os.close(descriptor)
