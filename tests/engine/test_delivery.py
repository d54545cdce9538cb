"""Calls to the Engine through the spool: each stored once, though the Engine stores whatever comes twice."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable

import pytest

from otel_arthur.delivery import Delivery
from otel_arthur.genai.call import Choice, Message, TextPart, Usage
from otel_arthur.local.engine.traces import StoredSpan
from otel_arthur.local.server import LocalArthur
from tests.support.servers.account import onboarded
from tests.support.spans.llm_calls import llm_call, llm_calls
from tests.support.waiting import PATIENCE, eventually


def stored(engine: LocalArthur) -> list[StoredSpan]:
    return engine.traces.spans(limit=10_000)[1]


def test_calls_become_llm_spans_of_the_task_of_their_service(
    engine: LocalArthur, deliver: Callable[..., Delivery]
) -> None:
    delivery = deliver()
    calls = llm_calls(200)
    delivery.submit(calls)
    assert delivery.flush(PATIENCE)
    spans = stored(engine)
    assert Counter(span.span_id for span in spans) == Counter(call.span_id for call in calls)
    assert {span.kind for span in spans} == {"LLM"}
    assert {(span.prompt_tokens, span.completion_tokens) for span in spans} == {(3, 5)}
    assert [name for _, name in engine.traces.tasks()] == ["support"]
    counts = delivery.counts()
    assert (counts.sent, counts.unaccounted, counts.left) == (200, 0, 0)


def test_a_configured_task_takes_all(engine: LocalArthur, deliver: Callable[..., Delivery]) -> None:
    task = engine.traces.add_task("mine")
    delivery = deliver(engine_task_id=task)
    delivery.submit([llm_call()])
    assert delivery.flush(PATIENCE)
    assert [span.task_id for span in stored(engine)] == [task]


def test_a_call_that_is_submitted_twice_is_stored_once(
    engine: LocalArthur, deliver: Callable[..., Delivery]
) -> None:
    delivery = deliver()
    call = llm_call()
    for _ in range(3):
        delivery.submit([call])
        assert delivery.flush(PATIENCE)
    assert len(stored(engine)) == 1


def test_an_engine_that_is_down_gets_all_later(engine: LocalArthur, deliver: Callable[..., Delivery]) -> None:
    engine.stop()
    delivery = deliver()
    calls = llm_calls(20)
    delivery.submit(calls)
    assert not delivery.flush(0.5)
    delivery.shutdown(1)
    engine.start()
    again = deliver()
    again.start()
    assert again.flush(PATIENCE)
    assert Counter(span.span_id for span in stored(engine)) == Counter(call.span_id for call in calls)


def test_calls_without_a_key_wait_for_one(engine: LocalArthur, deliver: Callable[..., Delivery]) -> None:
    keyless = deliver(engine_api_key=None)
    keyless.submit([llm_call()])
    assert not keyless.flush(1)
    keyless.shutdown(1)
    assert stored(engine) == []
    delivery = deliver()
    delivery.start()
    assert delivery.flush(PATIENCE)
    assert len(stored(engine)) == 1


def test_a_wrong_key_is_one_line_that_says_what_to_do(
    engine: LocalArthur, deliver: Callable[..., Delivery], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "otel_arthur"):
        delivery = deliver(engine_api_key="wrong")
        delivery.submit([llm_call("a secret question")])
        name = "OTEL_EXPORTER_ARTHUR_ENGINE_API_KEY"
        eventually(lambda: name in caplog.text, "it is said")
        assert not delivery.flush(1)
        assert sum(name in line for line in caplog.messages) == 1
        delivery.shutdown(1)
    assert "secret" not in caplog.text


def test_ground_truth_is_left_out_and_counted(
    engine: LocalArthur, deliver: Callable[..., Delivery], caplog: pytest.LogCaptureFixture
) -> None:
    delivery = deliver()
    truth = {"partner_inference_id": "a-b-0", "ground_truth_timestamp": "", "ground_truth_data": {}}
    with caplog.at_level(logging.WARNING, "otel_arthur"):
        assert delivery.submit_ground_truth([truth, truth]).skipped == {"ground truth for the Engine": 2}
    assert "no place for it" in caplog.text
    assert delivery.counts().unaccounted == 0


def test_two_targets_get_the_same_call(engine: LocalArthur, deliver: Callable[..., Delivery]) -> None:
    model = onboarded(engine)
    delivery = deliver(endpoint=engine.url, api_key=engine.api_key, model_id=model)
    call = llm_call()
    delivery.submit([call])
    assert delivery.flush(PATIENCE)
    assert [span.span_id for span in stored(engine)] == [call.span_id]
    (row,) = engine.store.inferences(model).inferences
    assert row.partner_inference_id.startswith(f"{call.trace_id}-{call.span_id}")


@pytest.mark.parametrize("spans", ["calls", "traces"])
def test_two_spans_of_one_call_are_one_llm_span_with_what_both_know(
    engine: LocalArthur, deliver: Callable[..., Delivery], spans: str
) -> None:
    delivery = deliver(duplicate_window=1, engine_spans=spans)
    outer = llm_call(
        choices=(Choice(Message("assistant", (TextPart("yes"),))),), request_model="m", temperature=0.5
    )
    inner = llm_call(
        trace_id=outer.trace_id,
        parent_span_id=outer.span_id,
        scope="opentelemetry.instrumentation.openai",
        start_ns=outer.start_ns + 1,
        end_ns=outer.end_ns - 1,
        choices=(Choice(Message("assistant", (TextPart("yes"),)), "stop"),),
        usage=Usage(3, 5, 8, cached=2),
        request_model="m",
        response_model="m-2026",
        response_id="r1",
        max_tokens=9,
    )
    delivery.submit([inner])
    delivery.submit([outer])
    assert delivery.flush(PATIENCE)
    (span,) = [span for span in stored(engine) if span.kind == "LLM"]
    assert span.attributes["llm.finish_reason"] == "stop"
    assert span.attributes["llm.token_count.prompt_details.cache_read"] == 2
    assert span.attributes["llm.model_name"] == "m-2026"
    parameters = json.loads(span.attributes["llm.invocation_parameters"])
    assert parameters == {"model": "m", "temperature": 0.5, "max_tokens": 9}
    assert json.loads(span.attributes["metadata"])["response_id"] == "r1"
    counts = delivery.counts()
    expected = (1, 1, 0) if spans == "calls" else (2, 0, 0)
    assert (counts.sent, counts.duplicate, counts.unaccounted) == expected
