"""What commands send themselves, now: rows that a person gives, or what waits in the spool."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from itertools import islice
from typing import Any, Final, NamedTuple, TypeVar

from otel_arthur.cli.terminal import new_console
from otel_arthur.cli.terminal.errors import WorkFailed
from otel_arthur.cli.terminal.output import plural, print_json, say
from otel_arthur.configuration import Configuration
from otel_arthur.delivery import Delivery
from otel_arthur.delivery.books.books import Submitted
from otel_arthur.spool.queue.watching import Watch

_AT_ONCE: Final = 500
_POLL_SECONDS: Final = 0.2
_R = TypeVar("_R")


class Words(NamedTuple):
    """How a command tells the outcomes of its rows."""

    rows: str
    """The name of the rows, as in ``ground truth``."""
    target: str
    outcomes: dict[str, str]
    """The outcomes that are told, in order: key in JSON -> words."""
    no_room: str
    """The advice where rows found no room in the spool."""
    waiting: str
    """The reason and the advice where rows wait."""
    asked: str = ""
    """The same where the target did not know what the rows are about, with ``{}`` for their number."""


def send_rows(
    configuration: Configuration,
    rows: Iterable[_R],
    submit: Callable[[Delivery, list[_R], Watch], Submitted],
    timeout: float,
    words: Words,
    *,
    as_json: bool,
) -> None:
    """Send rows, for at most `timeout` seconds, and print their outcomes.

    Raises:
        WorkFailed: rows were refused, or are left.
    """
    delivery = Delivery(configuration, metrics=False)
    watch = delivery.watch()
    left = iter(rows)
    read = no_room = 0
    while some := list(islice(left, _AT_ONCE)):
        read += len(some)
        no_room += submit(delivery, some, watch).refused
    _send(delivery, watch, timeout)
    known = delivery.counts().known
    end(delivery, 1.0)
    waiting, refused = watch.waiting(), watch.refused()
    sent = max(read - known - no_room - refused - waiting.rows, 0)
    found: dict[str, Any] = {"sent": sent, "known": known, "refused": refused, "waiting": waiting.rows}
    if as_json:
        print_json({"read": read, **{key: found[key] for key in words.outcomes}})
    else:
        told = ", ".join(f"{found[key]} {outcome}" for key, outcome in words.outcomes.items())
        say(f"{plural(read, 'row')} of {words.rows} read: {told}")
    if no_room:
        raise WorkFailed(f"{plural(no_room, 'row')} found no room in the spool{words.no_room}")
    if refused:
        raise WorkFailed(
            f"{words.target} refused {plural(refused, 'row')}; `otel-arthur spool dead-letters list` says why"
        )
    if waiting.rows:
        why = words.asked.format(waiting.asked) if waiting.asked and words.asked else words.waiting
        raise WorkFailed(
            f"{plural(waiting.rows, 'row')} not taken within {timeout:g} s, waiting in the spool: {why}"
        )


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
            while not ended.wait(_POLL_SECONDS):
                progress.update(task, completed=total - delivery.counts().left)

        thread = threading.Thread(target=follow, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


def _send(delivery: Delivery, watch: Watch, timeout: float) -> None:
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
