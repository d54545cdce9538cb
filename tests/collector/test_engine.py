"""The collector on its way to Arthur Engine: whole traces, whatever comes first, and tasks by routes."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable

import pytest
import requests
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from otel_arthur.local.engine.traces import StoredSpan
from tests.support.processes.collectors import ArthurCollector, StockCollector
from tests.support.servers.account import Account
from tests.support.spans.otlp_requests import llm_request, plain_request
from tests.support.waiting import eventually

TRACE = bytes(range(16))
SERVER = Span.SPAN_KIND_SERVER


def placed(
    request: ExportTraceServiceRequest, name: str, number: int, parent: int = 0, kind: int = 0
) -> ExportTraceServiceRequest:
    """The request's one span, put at a place of the trace."""
    span = request.resource_spans[0].scope_spans[0].spans[0]
    span.trace_id, span.span_id, span.name = TRACE, number.to_bytes(8, "big"), name
    if parent:
        span.parent_span_id = parent.to_bytes(8, "big")
    span.kind = kind  # type: ignore[assignment]
    return request


def trace() -> list[ExportTraceServiceRequest]:
    """A shop that asks its bot: two processes, one trace."""
    return [
        placed(plain_request(), "GET /shop", 1),
        placed(llm_request(service="shop", text="Which?"), "chat in the shop", 2, 1),
        placed(plain_request(), "POST /bot", 3, 1),
        placed(plain_request(service="bot"), "POST /ask", 4, 3, SERVER),
        placed(plain_request(service="bot"), "SELECT", 5, 4),
        placed(llm_request(service="bot", text="Hello"), "chat in the bot", 6, 4),
    ]


def post(process: ArthurCollector | StockCollector, sent: Iterable[ExportTraceServiceRequest]) -> None:
    for request in sent:
        answer = requests.post(
            f"{process.http}/v1/traces",
            data=request.SerializeToString(),
            headers={"Content-Type": "application/x-protobuf"},
            timeout=120,
        )
        assert answer.status_code == 200, answer.text


def stored(account: Account, count: int) -> dict[str, StoredSpan]:
    traces = account.arthur.traces
    eventually(lambda: traces.spans()[0] >= count, f"{count} spans at the Engine")
    found = traces.spans()[1]
    assert len(found) == count
    return {span.name: span for span in found}


def section(account: Account, **more: str) -> str:
    pairs = {"endpoint": f"'{account.url}'", "api_key": f"'{account.api_key}'", **more}
    return "{" + ", ".join(f"{key}: {value}" for key, value in pairs.items()) + "}"


@pytest.mark.parametrize("remote", ["cut", "keep"])
def test_traces_of_two_processes_in_any_order(
    account: Account, collector: Callable[..., ArthurCollector], remote: str
) -> None:
    process = collector(arthur="{duplicate_window: 0}", engine=section(account, remote_parent=remote))
    requests_ = trace()
    random.Random(remote).shuffle(requests_)
    post(process, requests_)
    spans = stored(account, 4 if remote == "cut" else 5)
    assert spans["chat in the shop"].parent_span_id == spans["GET /shop"].span_id
    assert spans["chat in the bot"].parent_span_id == spans["POST /ask"].span_id
    assert {span.kind for name, span in spans.items() if "chat" in name} == {"LLM"}
    assert spans["GET /shop"].parent_span_id is None
    bot = spans["POST /ask"]
    assert bot.attributes["input.value"].endswith("Hello")
    assert bot.attributes["output.value"] == "Hello to you"
    if remote == "cut":
        assert bot.parent_span_id is None
        assert spans["GET /shop"].attributes["output.value"] == "Which? to you"
    else:
        assert bot.parent_span_id == spans["POST /bot"].span_id
    assert {name for _, name in account.arthur.traces.tasks()} == {"shop", "bot"}


def test_the_engine_beside_the_platform_and_tasks_by_routes(
    account: Account, model_id: str, collector: Callable[..., ArthurCollector]
) -> None:
    task = account.arthur.traces.add_task("bots")
    models = section(account, models=f"[{{model_id: '{model_id}'}}]", duplicate_window="0")
    process = collector(
        arthur=models,
        engine=section(account, tasks=f"[{{match: {{service.name: 'bot*'}}, task_id: '{task}'}}]"),
    )
    post(process, trace())
    spans = stored(account, 4)
    assert {name for name, span in spans.items() if span.task_id == task} >= {"chat in the bot"}
    assert spans["chat in the shop"].task_id != task
    eventually(lambda: account.count(model_id) == 2, "two inferences")
