"""What an error of the index or of its disk says: damage, another process's lock, or no room."""

from __future__ import annotations

import errno
import sqlite3
from typing import Final

_OF_DAMAGE: Final = ("malformed", "not a database", "no such table", "no such column")


class Replaced(sqlite3.OperationalError):
    """The file was removed, or another one lies in its place."""

    def __init__(self) -> None:
        super().__init__("the database was removed or replaced")


def is_damage(error: BaseException) -> bool:
    """Whether an error says that the file is no intact database."""
    # SQLite quotes what it read, and Python cannot decode that.
    if isinstance(error, UnicodeDecodeError):
        return True
    # By text: the codes of errors are known to Python from 3.11 on.
    return isinstance(error, sqlite3.DatabaseError) and any(words in str(error) for words in _OF_DAMAGE)


def is_busy(error: BaseException) -> bool:
    """Whether an error says that another process holds the database."""
    return isinstance(error, sqlite3.OperationalError) and ("locked" in str(error) or "busy" in str(error))


def is_passing(error: BaseException) -> bool:
    """Whether the same operation works as soon as other processes have done what they are at."""
    return is_busy(error) or isinstance(error, Replaced)


def is_full(error: BaseException) -> bool:
    """Whether an error says that the disk has no room."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return isinstance(error, sqlite3.Error) and "full" in str(error)
