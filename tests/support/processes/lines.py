"""The lines that a child says, waited for with a limit."""

from __future__ import annotations

import select
import subprocess

from tests.support.waiting import PATIENCE


def next_line(process: subprocess.Popen[bytes]) -> bytes:
    """The next line of a child's unbuffered output; fails where the child says none in time.

    The child writes whole lines: what has begun to come is read to the line's end.
    """
    assert process.stdout is not None
    comes, _, _ = select.select([process.stdout], [], [], PATIENCE)
    assert comes, f"process {process.pid} said nothing within {PATIENCE:.0f} s"
    return process.stdout.readline()


def whole_lines(process: subprocess.Popen[bytes], first: bytes) -> list[str]:
    """What a killed child said, with `first`, which was read before. A last line that is cut is left out."""
    rest, _ = process.communicate(timeout=PATIENCE)
    said = (first + rest).decode()
    return said[: said.rfind("\n") + 1].split()
