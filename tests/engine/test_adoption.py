"""The Engine's rows under a key, a task or an address that was wrong are sent once it is corrected."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from otel_arthur.cli.commands.spool import command
from otel_arthur.delivery import Delivery
from otel_arthur.engine.target import BY_SERVICE
from otel_arthur.genai.call import LLMCall
from otel_arthur.genai.steps.step import Frame
from otel_arthur.local.server import LocalArthur
from otel_arthur.target.contract import Feedback
from tests.support.servers.account import onboarded
from tests.support.servers.ports import free_port
from tests.support.spans.llm_calls import ids_of, llm_call, llm_calls
from tests.support.waiting import PATIENCE, eventually

OTHER = "44444444-4444-4444-8444-444444444444"


@pytest.fixture
def drain(engine: LocalArthur, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """`otel-arthur spool drain` for the Engine alone; the variables that are given win."""

    def run(*arguments: str, **variables: str) -> Result:
        settings = {
            "ENGINE_ENDPOINT": engine.url,
            "ENGINE_API_KEY": engine.api_key,
            "ENGINE_DOUBT": "5",
            "SPOOL_DIR": str(tmp_path / "engine-spool"),
            **variables,
        }
        for name, value in settings.items():
            monkeypatch.setenv(f"OTEL_EXPORTER_ARTHUR_{name}", value)
        return CliRunner().invoke(command, ["drain", *arguments])

    return run


def a_trace(**fields: Any) -> tuple[LLMCall, Frame]:
    """A call, and the span above it, which is the root of the trace."""
    call = llm_call(parent_span_id=secrets.token_hex(8), **fields)
    root = Frame(call.trace_id, str(call.parent_span_id), None, False, "GET /", call.start_ns, call.end_ns)
    return call, replace(root, service_name=call.service_name)


def left_behind(delivery: Delivery, *traces: tuple[LLMCall, Frame]) -> None:
    """What a process left that ended before it could send: each call, its root, and a person's opinion."""
    for call, root in traces:
        delivery.submit([call, root])
        delivery.submit_feedback([Feedback(call.trace_id, call.span_id, 1, "good")])
    assert not delivery.shutdown(1)


def tasks(engine: LocalArthur, *traces: tuple[LLMCall, Frame]) -> set[str]:
    """The tasks that have the spans of these traces, each once, and nothing else."""
    spans = engine.traces.spans(limit=1000)[1]
    ids = [one.span_id for trace in traces for one in trace]
    assert Counter(span.span_id for span in spans) == Counter(ids)
    assert all(engine.traces.annotation(call.trace_id) for call, _ in traces)
    names = dict(engine.traces.tasks())
    return {names[str(span.task_id)] for span in spans}


@pytest.mark.parametrize("has_task", [False, True], ids=["by service", "a task"])
@pytest.mark.parametrize(
    "wrong",
    [
        {"engine_api_key": "wrong"},
        {"engine_endpoint": "127.0.0.1:9"},
        {"engine_endpoint": "http://engine.example"},
        {"engine_endpoint": "127.0.0.1:9", "engine_api_key": "wrong"},
        {"engine_api_key": None},
    ],
    ids=["key", "address", "address in the clear", "address and key", "no key"],
)
def test_what_waits_under_what_was_wrong_is_sent_once_it_is_corrected(
    engine: LocalArthur,
    deliver: Callable[..., Delivery],
    drain: Callable[..., Result],
    wrong: Mapping[str, str | None],
    has_task: bool,
) -> None:
    task = engine.traces.add_task("mine") if has_task else None
    trace = a_trace()
    left_behind(deliver(**wrong, engine_task_id=task), trace)
    settings = {"ENGINE_TASK_ID": task} if task else {}
    result = drain("--json", **settings)
    assert result.exit_code == 0, result.output
    told = orjson.loads(result.stdout)
    assert (told["sent"], told["left"], told["elsewhere"]) == (3, 0, [])
    assert tasks(engine, trace) == {"mine" if task else "support"}
    assert orjson.loads(drain("--json", **settings).stdout)["sent"] == 0


def test_what_an_old_key_left_is_sent_with_the_renewed_one(
    deliver: Callable[..., Delivery], drain: Callable[..., Result]
) -> None:
    keys = {"old": "TASK-ADMIN", "new": "TASK-ADMIN"}
    with LocalArthur(port=free_port(), engine_keys=keys) as engine:
        first, second, third, fourth = (a_trace() for _ in range(4))
        of_old = {"engine_endpoint": engine.url, "engine_api_key": "old"}
        old = deliver(**of_old)
        old.submit(first)
        assert old.flush(PATIENCE)
        engine.stop()
        left_behind(old, second)
        engine.start()
        new = deliver(engine_endpoint=engine.url, engine_api_key="new")
        new.submit(third)
        # The first success with the new key finds the rows of the old key.
        eventually(lambda: new.flush(1) and engine.traces.spans()[0] == 6, "what waited is sent")
        engine.stop()
        left_behind(deliver(**of_old), fourth)
        engine.start()
        assert drain(ENGINE_ENDPOINT=engine.url, ENGINE_API_KEY="new").exit_code == 0
        assert engine.traces.spans()[0] == 8


def test_a_process_with_an_address_takes_over_what_its_own_services_left(
    engine: LocalArthur, deliver: Callable[..., Delivery]
) -> None:
    own, foreign, now = a_trace(), a_trace(service_name="another"), a_trace()
    left_behind(deliver(engine_endpoint="127.0.0.1:9"), own, foreign)
    delivery = deliver()
    delivery.submit(now)
    delivery.submit_feedback([Feedback(now[0].trace_id, now[0].span_id, 1, None)])
    eventually(lambda: delivery.flush(1) and engine.traces.spans()[0] >= 4, "what waited is sent")
    eventually(lambda: engine.traces.annotation(own[0].trace_id), "with the opinion")
    assert tasks(engine, own, now) == {"support"}
    eventually(lambda: delivery.adopt_all() == 3, "a person says so")
    assert delivery.flush(PATIENCE)
    assert tasks(engine, own, now, foreign) == {"support", "another"}


@pytest.mark.parametrize(
    ("other", "has_task"),
    [("task", False), ("task", True), ("by service", True), ("address", False), ("address", True)],
)
def test_what_waits_for_others_is_told_and_taken_over_where_a_person_says_so(
    engine: LocalArthur,
    deliver: Callable[..., Delivery],
    drain: Callable[..., Result],
    other: str,
    has_task: bool,
) -> None:
    task = engine.traces.add_task("mine") if has_task else None
    wrong = {"engine_task_id": OTHER if other == "task" else None if other == "by service" else task}
    place = wrong["engine_task_id"] or BY_SERVICE
    url = engine.url
    if other == "address":
        wrong["engine_endpoint"] = url = f"http://127.0.0.1:{free_port()}"
    engine.stop()
    trace = a_trace()
    left_behind(deliver(**wrong), trace)
    engine.start()
    settings = {"ENGINE_TASK_ID": task} if task else {}
    result = drain("--json", **settings)
    assert result.exit_code == 1, result.output
    told = orjson.loads(result.stdout)
    assert told["elsewhere"] == [{"model": place, "endpoint": url, "records": 3}]
    assert (told["sent"], told["left"]) == (0, 0)
    assert f"3 records for task {place} of the Engine at {url}" in result.stderr
    assert "--adopt" in result.stderr.splitlines()[-1]
    result = drain("--adopt", place, **settings)
    assert result.exit_code == 0, result.output
    assert tasks(engine, trace) == {"mine" if task else "support"}


def test_rows_never_go_to_the_other_target(
    engine: LocalArthur, deliver: Callable[..., Delivery], drain: Callable[..., Result]
) -> None:
    """A model and a task of one name, and both targets."""
    model, task = onboarded(engine), engine.traces.add_task("mine")
    trace = a_trace()
    engine.stop()
    v3 = {"endpoint": engine.url, "api_key": engine.api_key}
    left_behind(deliver(engine_task_id=OTHER, model_id=OTHER, **v3), trace)
    engine.start()
    settings = {
        "ENDPOINT": engine.url,
        "API_KEY": engine.api_key,
        "MODEL_ID": model,
        "ENGINE_TASK_ID": task,
    }
    told = orjson.loads(drain("--json", **settings).stdout)
    assert sorted(one["records"] for one in told["elsewhere"]) == [1, 3]
    result = drain("--adopt", OTHER, "--json", **settings)
    assert result.exit_code == 0, result.output
    assert orjson.loads(result.stdout)["adopted"] == 4
    assert tasks(engine, trace) == {"mine"}
    page = engine.store.inferences(model)
    assert [row.partner_inference_id for row in page.inferences] == ids_of([trace[0]])
    assert [row.ground_truth_data for row in page.inferences] == [None]


def test_rows_of_an_engine_that_is_not_configured_stay_and_are_told(
    engine: LocalArthur, deliver: Callable[..., Delivery], drain: Callable[..., Result]
) -> None:
    engine.stop()
    left_behind(deliver(), trace := a_trace())
    engine.start()
    v3 = {"ENDPOINT": engine.url, "API_KEY": engine.api_key, "MODEL_ID": onboarded(engine)}
    result = drain("--adopt", BY_SERVICE, ENGINE_ENDPOINT="", **v3)
    assert result.exit_code == 1
    assert f"3 records for task {BY_SERVICE} of an Engine at {engine.url}, and no Engine is" in result.stderr
    assert "--adopt" not in result.stderr
    assert drain(ENDPOINT="", MODEL_ID="").exit_code == 0
    assert tasks(engine, trace) == {"support"}


def test_own_rows_that_are_left_are_told_once(
    engine: LocalArthur, deliver: Callable[..., Delivery], drain: Callable[..., Result]
) -> None:
    engine.stop()
    left_behind(deliver(), a_trace())
    result = drain("--json", "--timeout", "1")
    assert result.exit_code == 1
    told = orjson.loads(result.stdout)
    assert (told["left"], told["elsewhere"]) == (3, [])


def test_rows_in_doubt_that_are_taken_over_are_stored_once(
    deliver: Callable[..., Delivery], drain: Callable[..., Result]
) -> None:
    """The Engine still stores what an old key sent, and the answer was lost."""
    keys = {"old": "TASK-ADMIN", "new": "TASK-ADMIN"}
    with LocalArthur(engine_keys=keys, engine_seconds=(0.02, 0.02)) as slow:
        old = deliver(engine_endpoint=slow.url, engine_api_key="old", timeout=0.5, engine_doubt=3600.0)
        calls = llm_calls(60)
        old.submit(calls)
        served = old._run.destinations.served.values()
        eventually(lambda: any(one.pacer.failures for one in served), "an answer is lost")
        old.shutdown(1)
        result = drain("--json", ENGINE_ENDPOINT=slow.url, ENGINE_API_KEY="new")
        assert result.exit_code == 0, result.output
        assert orjson.loads(result.stdout)["adopted"] == 60
        spans = slow.traces.spans(limit=1000)[1]
        assert Counter(span.span_id for span in spans) == Counter(call.span_id for call in calls)
