"""Several processes and one slow Engine: nothing lost, nothing stored twice, whoever dies when."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from otel_arthur.delivery import Delivery
from otel_arthur.local.server import LocalArthur
from tests.support.paths import ROOT
from tests.support.waiting import PATIENCE, eventually

PROGRAM = """
import sys
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from otel_arthur import ArthurSpanExporter
from tests.engine.test_traces import agent

provider = TracerProvider(resource=Resource({"service.name": "bot"}))
provider.add_span_processor(SimpleSpanProcessor(ArthurSpanExporter()))
for number in range(int(sys.argv[1])):
    agent(provider.get_tracer("app"))
    print(number, flush=True)
if sys.argv[2] == "stay":
    sys.stdin.read()
provider.shutdown()
"""


def started(engine: LocalArthur, spool: Path, traces: int, end: str) -> subprocess.Popen[str]:
    environ = {
        **{key: value for key, value in os.environ.items() if not key.startswith(("ARTHUR_", "OTEL_"))},
        "PYTHONPATH": str(ROOT),
        "ARTHUR_BASE_URL": engine.url,
        "ARTHUR_API_KEY": engine.api_key,
        "OTEL_EXPORTER_ARTHUR_TIMEOUT": "0.5",
        "OTEL_EXPORTER_ARTHUR_ENGINE_DOUBT": "10",
        "OTEL_EXPORTER_ARTHUR_DUPLICATE_WINDOW": "0",
        "OTEL_EXPORTER_ARTHUR_SPOOL_DIR": str(spool),
    }
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(traces), end],
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("end", ["go", "stay"], ids=["shutdown", "kill -9"])
def test_four_processes_against_an_engine_that_answers_slower_than_the_timeout(
    deliver: Callable[..., Delivery], tmp_path: Path, end: str
) -> None:
    """Each span of each trace that was handed over is stored once, and each trace has its root last."""
    spool = tmp_path / "spool"
    with LocalArthur(engine_seconds=(0.02, 0.01)) as engine:
        processes = [started(engine, spool, 4, end) for _ in range(4)]
        for process in processes:
            assert process.stdout is not None
            assert [process.stdout.readline() for _ in range(4)] == [f"{number}\n" for number in range(4)]
            if end == "stay":
                process.send_signal(signal.SIGKILL)
        for process in processes:
            process.communicate(timeout=PATIENCE)
        delivery = deliver(
            engine_endpoint=engine.url, engine_api_key=engine.api_key, engine_doubt=10.0, spool_dir=spool
        )
        delivery.start()
        eventually(lambda: delivery.flush(1), "the spool is empty")
        _, spans = engine.traces.spans(limit=10_000)
        assert Counter((span.trace_id, span.span_id) for span in spans).most_common(1)[0][1] == 1
        assert Counter(Counter(span.trace_id for span in spans).values()) == {5: 16}
        roots = [span for span in spans if span.parent_span_id is None]
        assert len(roots) == 16
        assert all(root.attributes["input.value"] and root.attributes["output.value"] for root in roots)
        calls = Counter(span.trace_id for span in spans if span.kind == "LLM")
        assert set(calls.values()) == {2}
        for root in roots:
            mine = [one.number for one in spans if one.trace_id == root.trace_id and one.kind == "LLM"]
            assert root.number > max(mine)
