"""A program that records calls, for tests that kill it: killed where it is told, or by whoever started it.

    python -m tests.support.processes.application MODE COUNT

Prints the id of each inference once `submit` has returned with it: from then on it must not be lost.
"""

from __future__ import annotations

import os
import signal
import sys
import time

from otel_arthur.arthur.target.bisect import Bisection
from otel_arthur.configuration import Configuration
from otel_arthur.delivery import Delivery
from otel_arthur.engine.presenting import Presentation
from otel_arthur.spool.disk import bodies
from otel_arthur.spool.disk.keys import KeyIndex
from otel_arthur.spool.queue import leases
from otel_arthur.spool.spool import Spool
from tests.support.servers.faces import ENGINE, V3, Face
from tests.support.spans.llm_calls import llm_calls


def die(*_args: object, **_fields: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def say(delivery: Delivery, face: Face, count: int, size: int = 0) -> None:
    calls = llm_calls(count, size)
    if delivery.submit(calls).spooled == count:
        sys.stdout.write("".join(f"{identity}\n" for identity in face.ids_of(calls)))
        sys.stdout.flush()


def main() -> None:
    mode, count = sys.argv[1], int(sys.argv[2])
    configuration = Configuration.from_environment()
    delivery = Delivery(configuration, metrics=False)
    face = V3 if configuration.engine is None else ENGINE
    if mode == "exit":
        say(delivery, face, count)
        delivery.flush(2)
        return
    if mode == "die after append":
        say(delivery, face, count)
        delivery.flush(1)
        die()
    if mode == "die before append":
        say(delivery, face, count)
        bodies.os.writev = die  # type: ignore[assignment]
        KeyIndex.add = die
        say(delivery, face, count, size=3000)
    if mode == "die between body and commit":
        say(delivery, face, count)
        KeyIndex.known = die  # type: ignore[method-assign]
        say(delivery, face, count, size=3000)
    if mode == "die after acceptance":
        Spool.finish = die  # type: ignore[method-assign]
        say(delivery, face, count)
        delivery.flush(30)
    if mode == "die before sending":
        Bisection.send = Presentation.of = die  # type: ignore[method-assign]
        say(delivery, face, count)
        delivery.flush(30)
    if mode == "die in finish":
        leases._record = die
        say(delivery, face, count)
        delivery.flush(30)
    if mode == "stream":
        while True:
            say(delivery, face, count, size=2000)
            time.sleep(0.002)


main()
