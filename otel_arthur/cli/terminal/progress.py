"""Progress bars over files that are read and over a delivery that is flushed, where stderr is a terminal."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from otel_arthur.cli.files.trace_files import TraceFiles
from otel_arthur.cli.terminal import new_console
from otel_arthur.delivery.delivery import Delivery
from otel_arthur.spool.queue.watching import Watch

_POLL_SECONDS: Final = 0.2


@contextmanager
def reading(files: TraceFiles, *, is_shown: bool) -> Generator[None]:
    """Show on stderr how much of the files is read, if that is a terminal and `is_shown`."""
    if not is_shown or not sys.stderr.isatty():
        yield
        return
    from rich.progress import Progress

    with Progress(console=new_console(err=True), transient=True) as progress:
        task = progress.add_task("Reading", total=files.size())
        files.told = lambda count: progress.advance(task, count)
        yield


@contextmanager
def watched(delivery: Delivery, what: str) -> Generator[None, None, None]:
    """Show the progress on stderr, if that is a terminal."""
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
    """Shut the delivery down, without its line on rows that are left: the command says that itself."""
    logger = logging.getLogger("otel_arthur")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        delivery.shutdown(timeout)
    finally:
        logger.setLevel(level)
