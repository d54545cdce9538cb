"""One thread for large requests: a sender of many does not keep the others waiting."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from otel_arthur.collector.otlp.turns import NoTurn, Turns
from tests.support.waiting import PATIENCE


class Work:
    """Goes on once it is released, for as long as the test likes: a slow machine, or large requests."""

    def __init__(self) -> None:
        self.release = threading.Event()
        self.done: list[str] = []

    def __call__(self, name: str) -> None:
        assert self.release.wait(PATIENCE)
        self.done.append(name)


def test_senders_come_by_turns() -> None:
    work = Work()

    async def senders() -> None:
        with ThreadPoolExecutor(1) as thread:
            turns = Turns(thread)
            tasks = [
                asyncio.create_task(turns.run(name[0], work, name))
                for name in ("a1", "a2", "a3", "a4", "b1", "b2", "c1")
            ]
            await asyncio.sleep(0)
            tasks[2].cancel()
            work.release.set()
            await asyncio.gather(*tasks, return_exceptions=True)
            await turns.run("d", work, "d1")

    asyncio.run(senders())
    assert work.done == ["a1", "a2", "b1", "c1", "b2", "a4", "d1"]


def test_who_waits_too_long_is_told_and_holds_up_nobody() -> None:
    work = Work()

    async def senders() -> None:
        with ThreadPoolExecutor(1) as thread:
            turns = Turns(thread, patience=0.01)
            first = asyncio.create_task(turns.run("a", work, "a1"))
            await asyncio.sleep(0)
            for name in ("a2", "b1", "b2"):
                with pytest.raises(NoTurn):
                    await asyncio.wait_for(turns.run(name[0], work, name), PATIENCE)
            work.release.set()
            await first
            await turns.run("b", work, "b3")

    asyncio.run(senders())
    assert work.done == ["a1", "b3"]
