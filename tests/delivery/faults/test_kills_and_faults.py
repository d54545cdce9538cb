"""500 real spans, eight different faults in a row, kill -9, drain: local Arthur has 500 ids, none twice."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from otel_arthur.local.server import LocalArthur
from tests.support.servers.account import onboarded, presentations
from tests.support.servers.faces import ENGINE, V3, Face
from tests.support.servers.fault_behaviours import html, reset_after_reading, reset_before_reading, status
from tests.support.servers.fault_exchange import Behaviour, Exchange
from tests.support.servers.fault_server import FaultServer
from tests.support.waiting import PATIENCE

PROGRAM = """
import json, os, signal, sys
import otel_arthur
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
provider = TracerProvider()
provider.add_span_processor(BatchSpanProcessor(otel_arthur.ArthurSpanExporter()))
tracer = provider.get_tracer("app")
ids = []
for number in range(int(sys.argv[1])):
    with tracer.start_as_current_span("chat m") as span:
        for kind, role in (("input", "user"), ("output", "assistant")):
            part = {"type": "text", "content": f"{role} {number} of {os.getpid()}"}
            message = {"role": role, "parts": [part]}
            span.set_attribute(f"gen_ai.{kind}.messages", json.dumps([message]))
        span.set_attributes({"gen_ai.operation.name": "chat", "gen_ai.request.model": "m"})
        ids.append(otel_arthur.inference_id(span))
provider.force_flush()
print(*ids, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


def through(arthur: LocalArthur, answered: str = "whole") -> Behaviour:
    """To local Arthur. `answered`: "whole", "lost" (a reset), "cut" (in its middle), "half" (of the JSON)."""

    def behave(exchange: Exchange) -> None:
        exchange.read_body()
        request = exchange.request
        wanted = {k: v for k, v in request.headers.items() if k in ("authorization", "content-type")}
        answer = requests.request(
            request.method, arthur.url + request.path, headers=wanted, data=request.body, timeout=PATIENCE
        )
        half = len(answer.content) // 2
        if answered == "whole":
            exchange.answer(answer.status_code, answer.content, {"Content-Type": "application/json"})
        elif answered == "half":
            exchange.answer(answer.status_code, answer.content[:half])
        else:
            if answered == "cut":
                head = exchange.head(answer.status_code, len(answer.content))
                exchange.sock.sendall(head + answer.content[:half])
            exchange.reset()

    return behave


@pytest.fixture
def arthur(careless: bool) -> Iterator[LocalArthur]:
    """A careless one takes repeated ids, and so shows what is presented twice."""
    with LocalArthur(accept_duplicates=careless) as running:
        yield running


@pytest.mark.parametrize(
    ("face", "careless", "processes"),
    [
        *((V3, careless, processes) for careless in (False, True) for processes in (1, 4)),
        (ENGINE, True, 4),
    ],
    ids=["careful-1", "careful-4", "careless-1", "careless-4", "engine-4"],
)
def test_eight_faults_kill_drain(
    arthur: LocalArthur, face: Face, spool_dir: Path, processes: int, careless: bool
) -> None:
    model_id = onboarded(arthur)
    with FaultServer() as front:
        front.always(through(arthur), on="")
        faults = [
            status(503),
            reset_before_reading(),
            html(200),
            through(arthur, "lost"),
            status(429, {"Retry-After": "0"}),
            through(arthur, "half"),
            reset_after_reading(),
            through(arthur, "cut"),
        ]
        front.script(*faults)
        of_v3 = {"API_KEY": arthur.api_key, "MODEL_ID": model_id, "ORGANIZATION_ID": ""}
        keys = of_v3 if face is V3 else {"ENGINE_API_KEY": arthur.api_key}
        environ = {
            **os.environ,
            **face.variables(front.url),
            **{f"OTEL_EXPORTER_ARTHUR_{name}": value for name, value in keys.items()},
            "OTEL_EXPORTER_ARTHUR_SPOOL_DIR": str(spool_dir),
            # Of these faults none hangs: a request that takes long must not be presented again.
            "OTEL_EXPORTER_ARTHUR_TIMEOUT": "60",
        }
        applications = [
            subprocess.Popen(
                [sys.executable, "-c", PROGRAM, str(500 // processes)],
                env=environ,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for _ in range(processes)
        ]
        handed: list[str] = []
        for application in applications:
            said, errors = application.communicate(timeout=PATIENCE)
            assert application.returncode == -signal.SIGKILL, errors
            handed += said.split()
        assert len(set(handed)) == 500

        drain = [sys.executable, "-m", "otel_arthur", "spool", "drain", "--timeout", "60"]
        while subprocess.run(drain, env=environ, capture_output=True, check=False).returncode:
            assert len(front.sends) < 100, "no end of it"
        sends = front.sends
    # The faults have all happened, and no request after them failed.
    assert len(sends) >= len(faults)
    if face is ENGINE:
        # Stored once each, whatever became of the answers: the Engine stores what comes twice.
        stored = Counter(f"{span.trace_id}-{span.span_id}" for span in arthur.traces.spans(limit=1000)[1])
        assert stored == {identity.rpartition("-")[0]: 1 for identity in handed}
        return
    presented = presentations(arthur, model_id)
    assert sorted(presented) == sorted(handed)
    # Presented again, under the same ids, are the rows of the three answers that did not arrive; only those.
    unanswered = Counter(i for r in sends[: len(faults)] if r.behaviour == "through" for i in r.ids)
    again = unanswered if careless else Counter()
    assert presented == {identity: 1 + again[identity] for identity in handed}
