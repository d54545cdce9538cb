"""Messages that come as log events: joined to their span, or its call is skipped with the reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests

from otel_arthur.genai.events.joiner import MAX_SPAN_BYTES
from tests.collector.posting import PROTOBUF, Start, post
from tests.support.servers.account import Account
from tests.support.servers.next_hops import HTTPServerBehind
from tests.support.spans.otlp_requests import (
    all_spans,
    llm_request,
)
from tests.support.waiting import PATIENCE


def event_request(span: Any, text: str) -> Any:
    """The GenAI event that carries a span's messages, as a log record."""
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

    request = ExportLogsServiceRequest()
    record = (
        request.resource_logs.add()
        .scope_logs.add()
        .log_records.add(
            event_name="gen_ai.client.inference.operation.details",
            trace_id=span.trace_id,
            span_id=span.span_id,
            time_unix_nano=span.end_time_unix_nano,
        )
    )
    complete = all_spans(llm_request(text=text))[0]
    for attribute in complete.attributes:
        if attribute.key.endswith("messages"):
            record.attributes.append(attribute)
    return request


def conversation_request(span: Any, text: str) -> Any:
    """The log record of AWS's distro on AgentCore: it has no name and no attribute of the conventions."""
    from google.protobuf.json_format import ParseDict
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

    def held(value: Any) -> Any:
        if isinstance(value, dict):
            return {"kvlistValue": {"values": [{"key": k, "value": held(v)} for k, v in value.items()]}}
        if isinstance(value, list):
            return {"arrayValue": {"values": [held(one) for one in value]}}
        return {"stringValue": value}

    asked = {"role": "user", "content": {"content": text}}
    said = {"role": "assistant", "content": {"message": f"{text} to you", "finish_reason": "end_turn"}}
    body = held({"input": {"messages": [asked]}, "output": {"messages": [said]}})
    record = {"body": body, "timeUnixNano": str(span.end_time_unix_nano)}
    scope = {"scope": {"name": "strands.telemetry.tracer"}, "logRecords": [record]}
    request = ParseDict({"resourceLogs": [{"scopeLogs": [scope]}]}, ExportLogsServiceRequest())
    (written,) = request.resource_logs[0].scope_logs[0].log_records
    written.trace_id, written.span_id = span.trace_id, span.span_id
    return request


@pytest.mark.parametrize(
    ("order", "written"),
    [
        ("span first", event_request),
        ("event first", event_request),
        ("span first", conversation_request),
    ],
)
def test_messages_that_come_as_log_events_are_joined(
    collector: Start,
    account: Account,
    model_id: str,
    order: str,
    written: Callable[[Any, str], Any],
) -> None:
    request = llm_request()
    span = all_spans(request)[0]
    kept = [attribute for attribute in span.attributes if not attribute.key.endswith("messages")]
    del span.attributes[:]
    span.attributes.extend(kept)
    event = written(span, "from a log")
    with HTTPServerBehind() as behind:
        ours = collector(forward=f"{{endpoint: '{behind.url}'}}")
        sent = [("traces", request), ("logs", event)]
        for signal_name, message in sent if order == "span first" else reversed(sent):
            response = requests.post(
                f"{ours.http}/v1/{signal_name}",
                data=message.SerializeToString(),
                headers=PROTOBUF,
                timeout=PATIENCE,
            )
            assert response.status_code == 200
        assert sorted(got.path for got in behind.got) == ["/v1/logs", "/v1/traces"]
        ours.stop()
    (inference,) = account.inferences(model_id).values()
    assert inference["input_text"] == "Human: from a log"
    assert inference["output_text"] == "from a log to you"


def test_a_call_whose_messages_never_come_is_skipped_with_its_reason(
    collector: Start, account: Account, model_id: str
) -> None:
    request = llm_request()
    span = all_spans(request)[0]
    kept = [attribute for attribute in span.attributes if not attribute.key.endswith("messages")]
    del span.attributes[:]
    span.attributes.extend(kept)
    ours = collector()
    assert post(ours, request).status_code == 200
    assert ours.metrics()['otelcol_arthur_calls{outcome="waiting"}'] == 1
    ours.stop()
    assert any("without messages is skipped" in line["msg"] for line in ours.lines)
    assert account.count(model_id) == 0


def test_large_spans_that_wait_are_decided_early_and_counted(collector: Start) -> None:
    large = MAX_SPAN_BYTES // 3
    ours = collector()
    for number in range(3):
        request = llm_request()
        span = all_spans(request)[0]
        kept = [attribute for attribute in span.attributes if not attribute.key.endswith("messages")]
        del span.attributes[:]
        span.attributes.extend(kept)
        span.attributes.add(key="note").value.string_value = f"{number}" * large
        assert post(ours, request).status_code == 200
    metrics = ours.metrics()
    assert metrics['otelcol_arthur_calls{outcome="waiting"}'] == 3
    assert metrics['otelcol_arthur_spans_skipped{reason="no content"}'] == 1, "the oldest made room"
    ours.stop()
