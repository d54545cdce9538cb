"""How the spool's commands show tables, times and sizes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table


def table(*headings: str) -> Table:
    """A table that folds what does not fit: an id that is cut cannot be copied."""
    from rich.table import Table

    rows = Table()
    for heading in headings:
        rows.add_column(heading, overflow="fold")
    return rows


def moment(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(at))


def size(count: int) -> str:
    return f"{count / 1024**2:.1f} MB"


def age(seconds: float) -> str:
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.1f} {unit}"
    return f"{seconds:.0f} s"
