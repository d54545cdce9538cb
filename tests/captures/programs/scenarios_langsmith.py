"""The scenarios of LangChain, traced by LangSmith's OpenTelemetry mode."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from langchain_core.tracers.langchain import get_client, wait_for_all_tracers
from recording import record
from scenarios_langchain import SCENARIOS


class Instrumentor:
    """LangSmith is switched on by variables and writes to the global tracer provider."""

    def instrument(self, *, tracer_provider: Any, logger_provider: Any) -> None:
        """Nothing to do."""


def traced(run: Callable[[], object]) -> Callable[[], None]:
    """Spans are written by a thread of the client's."""

    def run_and_wait() -> None:
        run()
        wait_for_all_tracers()
        get_client().flush()
        time.sleep(1.0)

    return run_and_wait


if __name__ == "__main__":
    record({name: traced(run) for name, run in SCENARIOS.items()})
