"""Collectors with the processor, each with a local Arthur and a server behind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.processes.processors import CollectorWithProcessor
from tests.support.servers.account import Account
from tests.support.servers.next_hops import HTTPServerBehind

Make = Callable[..., CollectorWithProcessor]


@pytest.fixture
def behind() -> Iterator[HTTPServerBehind]:
    """The next hop of the way with the processor."""
    with HTTPServerBehind() as server:
        yield server


@pytest.fixture
def make(
    stock: None, account: Account, model_id: str, behind: HTTPServerBehind, tmp_path: Path
) -> Iterator[Make]:
    """Makes Collectors, with keys of the processor as arguments; the test starts them."""
    made: list[CollectorWithProcessor] = []

    def one(**processor: Any) -> CollectorWithProcessor:
        folder = tmp_path / f"collector-{len(made)}"
        folder.mkdir()
        made.append(CollectorWithProcessor(folder, account, model_id, behind.url, **processor))
        return made[-1]

    yield one
    for collector in made:
        collector.end()
