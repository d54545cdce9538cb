"""What the Engine does badly loses nothing and doubles nothing: slow answers, poison, rejections, a kill."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from otel_arthur.configuration import Configuration
from otel_arthur.delivery import Delivery
from otel_arthur.engine.client import EngineClient
from otel_arthur.engine.intake import Kind
from otel_arthur.engine.requests import EngineSpan, request_of
from otel_arthur.engine.target import EngineTarget
from otel_arthur.local.server import LocalArthur
from otel_arthur.spool.batches import NewBatch
from otel_arthur.spool.rows import Row
from tests.support.paths import ROOT
from tests.support.spans.llm_calls import llm_calls
from tests.support.waiting import PATIENCE, eventually


def ids(engine: LocalArthur) -> Counter[str]:
    return Counter(span.span_id for span in engine.traces.spans(limit=100_000)[1])


def test_an_engine_slower_than_the_timeout_stores_each_span_once(deliver: Callable[..., Delivery]) -> None:
    with LocalArthur(engine_seconds=(0.02, 0.02)) as slow:
        delivery = deliver(
            engine_endpoint=slow.url, engine_api_key=slow.api_key, timeout=0.5, engine_doubt=10.0
        )
        calls = llm_calls(60)
        delivery.submit(calls)
        eventually(lambda: delivery.flush(1), "all is sent")
        assert ids(slow) == Counter(call.span_id for call in calls)
        counts = delivery.counts()
        assert (counts.sent, counts.unaccounted) == (60, 0)


def test_only_what_is_in_doubt_waits(deliver: Callable[..., Delivery]) -> None:
    with LocalArthur(engine_seconds=(0.02, 0.02)) as slow:
        delivery = deliver(
            engine_endpoint=slow.url, engine_api_key=slow.api_key, timeout=0.5, engine_doubt=3600.0
        )
        delivery.submit(llm_calls(60))
        served = delivery._run.destinations.served.values()
        eventually(lambda: any(one.pacer.failures for one in served), "an answer is lost")
        (call,) = llm_calls(1)
        delivery.submit([call])
        eventually(lambda: call.span_id in ids(slow), "the other call arrives")


def append(delivery: Delivery, target: EngineTarget, *attributes: dict[str, str]) -> list[str]:
    """Spans as no call of ours would be written."""
    rows: list[Row] = []
    for number, one in enumerate(attributes):
        ids = (f"{number + 1:032x}", f"{number + 1:016x}")
        request = request_of(EngineSpan(*ids, None, "chat", 1, 2, {}), "bot", None, Counter())
        span = request.resource_spans[0].scope_spans[0].spans[0]
        for key, text in {"openinference.span.kind": "LLM", **one}.items():
            span.attributes.add(key=key).value.string_value = text
        rows.append(Row("-".join(ids), request.SerializeToString(), stem=49))
    (destination,) = target.own
    delivery.append(target, destination, NewBatch(Kind.SPAN, rows))
    return [row.id for row in rows]


def target_of(delivery: Delivery) -> EngineTarget:
    (target,) = delivery._run.targets
    assert isinstance(target, EngineTarget)
    return target


def test_poison_is_found_and_costs_no_other_span(
    engine: LocalArthur, deliver: Callable[..., Delivery], caplog: pytest.LogCaptureFixture
) -> None:
    delivery = deliver()
    spans = [{"input.value": f"secret {number}"} for number in range(9)]
    spans[4]["input.value"] = "secret \x00"
    with caplog.at_level(logging.DEBUG, "otel_arthur"):
        append(delivery, target_of(delivery), *spans)
        assert delivery.flush(PATIENCE)
    assert ids(engine) == Counter({f"{number + 1:016x}": 1 for number in range(9) if number != 4})
    counts = delivery.counts()
    assert (counts.sent, counts.dead_letter, counts.unaccounted) == (8, 1, 0)
    assert "secret" not in caplog.text


@pytest.mark.parametrize("bad", [1, 3], ids=["some", "all"])
def test_rejected_spans_become_dead_letters(
    engine: LocalArthur, deliver: Callable[..., Delivery], bad: int
) -> None:
    delivery = deliver()
    append(delivery, target_of(delivery), *[{"a/b": "x"} if number < bad else {} for number in range(3)])
    assert delivery.flush(PATIENCE)
    counts = delivery.counts()
    assert (counts.sent, counts.dead_letter, counts.unaccounted) == (3 - bad, bad, 0)
    assert len(ids(engine)) == 3 - bad


def test_a_key_that_may_not_ask_is_said_once(
    deliver: Callable[..., Delivery], caplog: pytest.LogCaptureFixture
) -> None:
    with LocalArthur(engine_keys={"k": "VALIDATION-USER"}, engine_seconds=(0.05, 0.0)) as engine:
        delivery = deliver(engine_endpoint=engine.url, engine_api_key="k", timeout=0.5, engine_doubt=2.0)
        calls = llm_calls(30)
        with caplog.at_level(logging.WARNING, "otel_arthur"):
            delivery.submit(calls)
            eventually(lambda: len(ids(engine)) == 30, "all are stored")
            eventually(lambda: any("may not ask" in line for line in caplog.messages), "it is said")
        assert sum("may not ask" in line for line in caplog.messages) == 1


WRITER = """
import sys, time
from otel_arthur.configuration import Configuration
from otel_arthur.delivery import Delivery
from tests.support.spans.llm_calls import llm_calls
delivery = Delivery(Configuration.from_environment(), metrics=False)
while True:
    calls = llm_calls(10)
    delivery.submit(calls)
    print(*(call.span_id for call in calls), flush=True)
    time.sleep(0.05)
"""


@pytest.mark.parametrize("number", range(4))
def test_kill_9_at_any_moment_loses_and_doubles_nothing(
    deliver: Callable[..., Delivery], tmp_path: Path, number: int
) -> None:
    with LocalArthur(engine_seconds=(0.003, 0.003)) as engine:
        spool = tmp_path / "engine-spool"
        environ = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "OTEL_EXPORTER_ARTHUR_ENGINE_ENDPOINT": engine.url,
            "OTEL_EXPORTER_ARTHUR_ENGINE_API_KEY": engine.api_key,
            "OTEL_EXPORTER_ARTHUR_ENGINE_DOUBT": "6",
            "OTEL_EXPORTER_ARTHUR_DUPLICATE_WINDOW": "0",
            "OTEL_EXPORTER_ARTHUR_SPOOL_DIR": str(spool),
        }
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER], env=environ, stdout=subprocess.PIPE, text=True, cwd=tmp_path
        )
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(5 + 7 * number)]
        process.send_signal(signal.SIGKILL)
        told.append(process.stdout.read())
        process.wait()
        process.stdout.close()
        acknowledged = {word for line in told if line.endswith("\n") for word in line.split()}
        delivery = deliver(
            engine_endpoint=engine.url, engine_api_key=engine.api_key, engine_doubt=6.0, spool_dir=spool
        )
        delivery.start()
        eventually(lambda: delivery.flush(1), "all is sent")
        found = ids(engine)
        assert acknowledged <= set(found)
        assert max(found.values()) == 1


def test_the_client_asks_for_many_ids_in_parts(engine: LocalArthur, deliver: Callable[..., Delivery]) -> None:
    delivery = deliver()
    calls = llm_calls(250)
    delivery.submit(calls)
    assert delivery.flush(PATIENCE)
    configuration = Configuration.from_environment(
        {}, engine_endpoint=engine.url, engine_api_key=engine.api_key
    )
    assert configuration.engine is not None
    client = EngineClient(configuration.engine, 30.0)
    task = client.task_of("support")
    assert task is not None
    asked = [(call.trace_id, call.span_id) for call in calls]
    other = ("f" * 32, calls[0].span_id)
    assert client.stored(task, [*asked, other]) == set(asked)
    assert client.task_of("suppor") is None
    client.close()
