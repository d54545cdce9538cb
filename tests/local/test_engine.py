"""The Engine's face does what a real engine does, measured: the unkind things too."""

from __future__ import annotations

import gzip
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue

from otel_arthur.local import database
from otel_arthur.local.server import LocalArthur
from tests.genai.matrix.truth import captures
from tests.support.waiting import PATIENCE

KEYS = {"admin": "TASK-ADMIN", "user": "VALIDATION-USER", "tenant": "TENANT-USER"}
LLM = {
    "openinference.span.kind": "LLM",
    "llm.input_messages.0.message.content": "What is OpenTelemetry?",
    "llm.token_count.prompt": 5,
    "llm.token_count.completion": 7,
    "input.value": "the question",
}


@pytest.fixture
def engine() -> Iterator[LocalArthur]:
    with LocalArthur(engine_keys=KEYS) as arthur:
        yield arthur


def value(given: Any) -> AnyValue:
    if isinstance(given, str):
        return AnyValue(string_value=given)
    return AnyValue(int_value=given) if isinstance(given, int) else AnyValue(double_value=given)


def request(*spans: dict[str, Any], resource: dict[str, Any] | None = None, end_ns: int = 2) -> bytes:
    message = ExportTraceServiceRequest()
    one = message.resource_spans.add()
    for key, item in ({"service.name": "bot"} if resource is None else resource).items():
        one.resource.attributes.append(KeyValue(key=key, value=value(item)))
    scope = one.scope_spans.add()
    for number, attributes in enumerate(spans):
        scope.spans.add(
            trace_id=bytes(15) + b"\x01",
            span_id=bytes(7) + bytes([number + 1]),
            parent_span_id=bytes(7) + b"\x01" if number else b"",
            name="chat",
            start_time_unix_nano=1,
            end_time_unix_nano=end_ns,
            attributes=[KeyValue(key=key, value=value(item)) for key, item in attributes.items()],
        )
    return message.SerializeToString()


def send(engine: LocalArthur, body: bytes, key: str = "admin", **headers: str) -> requests.Response:
    all_headers = {"Authorization": f"Bearer {key}", **headers}
    return requests.post(f"{engine.url}/api/v1/traces", data=body, headers=all_headers, timeout=PATIENCE)


def ask(engine: LocalArthur, path: str, key: str = "admin", **query: Any) -> requests.Response:
    headers = {"Authorization": f"Bearer {key}"}
    return requests.get(f"{engine.url}/api/v1/{path}", params=query, headers=headers, timeout=PATIENCE)


def post(engine: LocalArthur, path: str, body: Any) -> requests.Response:
    headers = {"Authorization": "Bearer admin"}
    return requests.post(f"{engine.url}/api/{path}", json=body, headers=headers, timeout=PATIENCE)


def test_only_openinference_is_understood(engine: LocalArthur) -> None:
    exports = [capture.path.with_suffix(".pb").read_bytes() for capture in captures("genai-openai")]
    for export in filter(None, exports):
        assert send(engine, export).status_code == 200
    count, spans = engine.traces.spans()
    assert count > 0
    assert not [span for span in spans if span.kind == "LLM" or span.total_tokens]


def test_a_trace_has_the_input_of_its_root_and_the_tokens_of_its_calls(engine: LocalArthur) -> None:
    chain = {"openinference.span.kind": "CHAIN", "input.value": "asked", "llm.token_count.prompt": 99}
    assert send(engine, request(chain, LLM)).json()["status"] == "success"
    (task,) = [task for task, name in engine.traces.tasks() if name == "bot"]
    (trace,) = ask(engine, "traces", task_ids=task).json()["traces"]
    assert (trace["input_content"], trace["prompt_token_count"], trace["total_token_count"]) == (
        "asked",
        5,
        12,
    )
    whole = ask(engine, f"traces/{trace['trace_id']}").json()
    assert [span["span_kind"] for span in whole["spans"]] == ["CHAIN", "LLM"]


def test_a_span_that_comes_twice_is_stored_twice(engine: LocalArthur) -> None:
    for _ in range(2):
        send(engine, request(LLM))
    assert engine.traces.spans()[0] == 2


def test_absent_counts_are_estimated(engine: LocalArthur) -> None:
    send(engine, request({key: item for key, item in LLM.items() if "token_count" not in key}))
    (span,) = engine.traces.spans()[1]
    assert span.prompt_tokens == 4


@pytest.mark.parametrize(
    "poison",
    [
        {**LLM, "input.value": "a\x00b"},
        {**LLM, "llm.cost.total": float("nan")},
        {**LLM, "metadata": '{"a": NaN}'},
        {**LLM, "llm.token_count.prompt": 2**40},
    ],
    ids=["NUL", "NaN", "NaN in JSON", "large count"],
)
def test_poison_loses_the_whole_request_and_quotes_the_others(
    engine: LocalArthur, poison: dict[str, Any]
) -> None:
    answer = send(engine, request(LLM, poison))
    assert answer.status_code == 500
    assert "What is OpenTelemetry?" in answer.text
    assert engine.traces.spans()[0] == 0


def test_an_end_at_zero_is_poison(engine: LocalArthur) -> None:
    assert send(engine, request(LLM, end_ns=0)).status_code == 500


@pytest.mark.parametrize("bad", [{"a/b": "x"}, {"metadata": '{"a/b": 1}'}])
def test_a_slash_in_a_key_rejects_the_span(engine: LocalArthur, bad: dict[str, Any]) -> None:
    partly = send(engine, request(LLM, {**LLM, **bad}))
    assert (partly.status_code, partly.json()["rejected_spans"]) == (206, 1)
    assert engine.traces.spans()[0] == 1
    assert send(engine, request({**LLM, **bad})).status_code == 422


def test_the_task_is_named_by_the_resource(engine: LocalArthur) -> None:
    headers = {"Authorization": "Bearer admin"}
    made = requests.post(
        f"{engine.url}/api/v2/tasks", json={"name": "mine"}, headers=headers, timeout=PATIENCE
    ).json()
    for resource in ({"arthur.task": made["id"], "service.name": "bot"}, {"service.name": "bot"}, {}):
        assert send(engine, request(LLM, resource=resource)).status_code == 200
    assert {name for _, name in engine.traces.tasks()} == {"mine", "bot", "__unmapped__"}
    found = post(engine, "v2/tasks/search", {"task_name": "min"})
    assert found.json() == {"count": 1, "tasks": [{"id": made["id"], "name": "mine"}]}
    assert send(engine, request(LLM, resource={"arthur.task": "unknown"})).status_code == 500


@pytest.mark.parametrize(
    ("key", "may_write", "may_read"),
    [("admin", 200, 200), ("user", 200, 403), ("tenant", 403, 403), ("no", 401, 401)],
)
def test_roles(engine: LocalArthur, key: str, may_write: int, may_read: int) -> None:
    assert send(engine, request(LLM), key).status_code == may_write
    assert ask(engine, "traces/spans", key, task_ids="any").status_code == may_read


def test_only_plain_protobuf_is_taken(engine: LocalArthur) -> None:
    body = request(LLM)
    assert send(engine, b"").status_code == 400
    assert send(engine, gzip.compress(body), **{"Content-Encoding": "gzip"}).status_code == 400
    assert send(engine, b"{}", **{"Content-Type": "application/json"}).status_code == 400
    assert send(engine, b"\xff\xff\xff").status_code == 400


def test_stored_spans_are_found_by_their_ids(engine: LocalArthur) -> None:
    send(engine, request(LLM, LLM, LLM))
    (task,) = [task for task, _ in engine.traces.tasks()]
    assert ask(engine, "traces/spans").status_code == 422
    found = ask(engine, "traces/spans", task_ids=task, span_ids=["0" * 15 + "1", "0" * 15 + "3"]).json()
    assert sorted(span["span_id"][-1] for span in found["spans"]) == ["1", "3"]
    page = ask(engine, "traces/spans", task_ids=task, page=1, page_size=2).json()
    assert (page["count"], len(page["spans"])) == (3, 1)
    assert ask(engine, "traces/spans", task_ids=task, page_size=5001).status_code == 400


def test_the_later_annotation_of_a_trace_replaces_the_earlier(engine: LocalArthur) -> None:
    send(engine, request(LLM))
    trace = engine.traces.spans()[1][0].trace_id
    headers = {"Authorization": "Bearer admin"}
    address = f"{engine.url}/api/v1/traces/{trace}/annotations"
    for score in (0, 1):
        body = {"annotation_score": score, "annotation_description": f"number {score}"}
        assert requests.post(address, json=body, headers=headers, timeout=PATIENCE).status_code == 200
    assert (
        requests.post(address, json={"annotation_score": 2}, headers=headers, timeout=PATIENCE).status_code
        == 422
    )
    assert engine.traces.annotation(trace) == (1, "number 1")


def test_a_database_of_the_first_format_is_upgraded(tmp_path: Path) -> None:
    path = tmp_path / "local.db"
    with sqlite3.connect(path) as old:
        for statement in database._INFERENCES.split(";\n"):
            old.execute(statement)
        old.execute("PRAGMA user_version = 1")
        old.execute("INSERT INTO settings VALUES ('api_key', 'kept')")
    old.close()
    with LocalArthur(db=path) as arthur:
        assert arthur.api_key == "kept"
        assert send(arthur, request(LLM), "kept").status_code == 200
