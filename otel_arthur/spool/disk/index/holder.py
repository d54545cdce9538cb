"""Which process holds the database that others wait for."""

from __future__ import annotations

from pathlib import Path
from typing import Final

_WRITE_LOCK: Final = "120"
"""The byte of the shared index that SQLite locks for a writer (sqlite.org/walformat.html, 2.3.1)."""
_STOPPED: Final = {"T": ", which is stopped", "t": ", which a debugger has stopped"}


def holder_of(database: Path) -> str:
    """The process in words, as in "process 4242 (python), which is stopped"; empty where nobody can tell."""
    try:
        inode = str(Path(f"{database}-shm").stat().st_ino)
        locks = Path("/proc/locks").read_text().splitlines()
    except OSError:
        return ""
    for line in locks:
        # 1: POSIX ADVISORY WRITE 4242 fe:00:5857947 120 120
        words = line.split()
        if words[3:4] == ["WRITE"] and words[5].rpartition(":")[2] == inode and words[6] == _WRITE_LOCK:
            return _process(words[4])
    return ""


def is_still(holder: str) -> bool:
    """Whether the words of `holder_of` say that it does not go on by itself."""
    return holder.endswith(tuple(_STOPPED.values()))


def _process(number: str) -> str:
    if number in ("0", "-1"):
        return "a process of another container"
    try:
        name, _, rest = Path(f"/proc/{number}/stat").read_text().partition("(")[2].rpartition(")")
    except OSError:
        return f"process {number}"
    return f"process {number} ({name}){_STOPPED.get(rest.strip()[:1], '')}"
