"""A progress bar over a delivery that is being flushed, where stderr is a terminal."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from otel_arthur.cli.terminal import new_console
from otel_arthur.delivery.delivery import Delivery
from otel_arthur.spool.queue.watching import Watch

_POLL_SECONDS: Final = 0.2


@contextmanager
def watched(delivery: Delivery, what: str) -> Generator[None, None, None]:
    """Show on stderr how far it is, if that is a terminal."""
    total = delivery.counts().left
    if not total or not sys.stderr.isatty():
        yield
        return
    from rich.progress import Progress

    ended = threading.Event()
    with Progress(console=new_console(err=True), transient=True) as progress:
        task = progress.add_task(what, total=total)

        def follow() -> None:
            while not ended.wait(0.2):
                progress.update(task, completed=total - delivery.counts().left)

        thread = threading.Thread(target=follow, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


def send(delivery: Delivery, watch: Watch, timeout: float) -> None:
    """Send until the watched rows are gone, `timeout` seconds at most: others' rows may wait for long."""
    deadline = time.monotonic() + timeout
    with watched(delivery, "Sending"):
        while not delivery.flush(min(1.0, max(deadline - time.monotonic(), 0.0))):
            if not watch.waiting().rows or time.monotonic() >= deadline:
                break
            time.sleep(_POLL_SECONDS)


def end(delivery: Delivery, timeout: float) -> None:
    """Shut the delivery down; without its line on what is left, which the command says itself."""
    logger = logging.getLogger("otel_arthur")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        delivery.shutdown(timeout)
    finally:
        logger.setLevel(level)
