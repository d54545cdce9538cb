"""Spools that the tests of this folder share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from otel_arthur.spool.disk.keys import KeyLimits
from otel_arthur.spool.spool import Spool


@pytest.fixture
def spool_dir(tmp_path: Path) -> Path:
    return tmp_path / "the-spool"


@pytest.fixture
def opened(spool_dir: Path) -> Iterator[Callable[..., Spool]]:
    """Spools on one folder, closed at the end of the test."""
    made: list[Spool] = []

    def build(key_limits: KeyLimits | None = None, max_bytes: int = 1 << 30) -> Spool:
        made.append(Spool(spool_dir, max_bytes, key_limits))
        return made[-1]

    yield build
    for spool in made:
        spool.close()
