"""A sender may name a service of its own in each span: what is remembered of names is a level, not growth."""

from __future__ import annotations

import gc
import itertools
import tracemalloc
from collections.abc import Callable

from otel_arthur.collector.intake.deliveries import OpenRoute, OpenRoutes
from otel_arthur.collector.intake.intake import Intake
from otel_arthur.configuration import Configuration
from otel_arthur.delivery import Delivery
from tests.support.servers.fault_server import MODEL_ID, FaultServer
from tests.support.spans.otlp_requests import llm_request

NAMES_AT_ONCE = 300
NAME_BYTES = 8_000
ROUNDS = 7


def test_names_of_services_are_a_level(
    server: FaultServer, deliver: Callable[..., Delivery], configured: Callable[..., Configuration]
) -> None:
    server.stop()
    delivery = deliver(duplicate_window=10.0)
    assert delivery._spool._disk is not None
    spool = delivery._spool._disk.spool
    assert spool is not None
    (target,) = delivery._run.targets
    intake = Intake(OpenRoutes((OpenRoute((), MODEL_ID, delivery),), ()), configured())

    seen = itertools.count()

    def level_after(rounds: int) -> int:
        levels: list[int] = []
        for _ in range(rounds):
            request = llm_request(0)
            for _ in range(NAMES_AT_ONCE):
                name = f"{next(seen)} ".ljust(NAME_BYTES, "x")
                request.resource_spans.extend(llm_request(1, service=name).resource_spans)
            assert intake.take(request).calls == NAMES_AT_ONCE
            del request
            # The calls are compared, so that their evidence is remembered.
            for destination in target.own:
                spool.close_window(destination.number, target.window, target.judge, at_once=True)
            # Rows just written are kept up to a limit of their own.
            spool.store.bodies.forget()
            gc.collect()
            levels.append(tracemalloc.get_traced_memory()[0])
        # A batch may be on its way just then: the least of the latest is what stays.
        return min(levels[-4:])

    tracemalloc.start()
    try:
        # What is remembered is a thousand names or so: the second half ends on the level of the first.
        level = level_after(ROUNDS)
        growth = level_after(ROUNDS) - level
    finally:
        tracemalloc.stop()
    # The names alone would be 17 MB more.
    assert growth < ROUNDS * NAMES_AT_ONCE * NAME_BYTES / 4
