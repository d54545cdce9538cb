"""Whether a disk answers: one that hangs in the kernel lets neither a thread nor its process end."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path
from typing import Final

_HANG_SECONDS: Final = 2.0
_LOOKS: Final = 15
"""At a process that is merely slow, as on a busy machine."""
_PROBE: Final = (
    "import os, sys; was = os.stat(sys.argv[1]); os.utime(sys.argv[1], ns=(was.st_atime_ns, was.st_mtime_ns))"
)


def has_answered(folder: Path) -> bool:
    """Whether the disk of a folder lets a process look and write, or says that it does not.

    Another process asks, which is left behind where it hangs.
    """
    try:
        probe = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", _PROBE, str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        return True  # No process starts: the disk itself will say.
    for _ in range(_LOOKS):
        with contextlib.suppress(subprocess.TimeoutExpired):
            probe.wait(_HANG_SECONDS)
            return True
        if _waits_for_disk(probe.pid):
            break
    return False


def disk_of(folder: Path) -> str:
    """The disk in words, by the kernel's list: to look at the folder itself may hang."""
    try:
        mounts = [line.split()[:2] for line in Path("/proc/self/mounts").read_text().splitlines()]
    except OSError:
        return f"the disk of {folder}"
    around = [mount for mount in mounts if folder.absolute().is_relative_to(mount[1])]
    device, place = max(around, key=lambda mount: len(mount[1]))
    return f"the disk of {folder} ({device}, mounted on {place})"


def _waits_for_disk(process: int) -> bool:
    """Whether the kernel says so, or nobody can tell."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].strip().startswith("D")
    except OSError:
        return True
