"""One thread for large requests: a sender of many does not keep the others waiting."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from otel_arthur.collector.otlp.turns import NoTurn, Turns
from tests.support.waiting import PATIENCE


def test_senders_come_by_turns() -> None:
    release = threading.Event()
    done: list[str] = []

    def work(name: str) -> None:
        assert release.wait(PATIENCE)
        done.append(name)

    async def senders() -> None:
        with ThreadPoolExecutor(1) as thread:
            turns = Turns(thread)
            tasks = [
                asyncio.create_task(turns.run(name[0], work, name))
                for name in ("a1", "a2", "a3", "a4", "b1", "b2", "c1")
            ]
            await asyncio.sleep(0)
            tasks[2].cancel()
            release.set()
            await asyncio.gather(*tasks, return_exceptions=True)
            await turns.run("d", work, "d1")

    asyncio.run(senders())
    assert done == ["a1", "a2", "b1", "c1", "b2", "a4", "d1"]


def test_who_waits_too_long_is_told_and_holds_up_nobody() -> None:
    """The thread is busy for as long as the test likes: a slow machine, or a large request before ours."""
    release = threading.Event()
    done: list[str] = []

    def work(name: str) -> None:
        assert release.wait(PATIENCE)
        done.append(name)

    async def senders() -> None:
        with ThreadPoolExecutor(1) as thread:
            turns = Turns(thread, patience=0.01)
            first = asyncio.create_task(turns.run("a", work, "a1"))
            await asyncio.sleep(0)
            for name in ("a2", "b1", "b2"):
                with pytest.raises(NoTurn):
                    await asyncio.wait_for(turns.run(name[0], work, name), PATIENCE)
            release.set()
            await first
            await turns.run("b", work, "b3")

    asyncio.run(senders())
    assert done == ["a1", "b3"]
