"""The pass-through: the request's own bytes out with their headers, the next hop's own answer back."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable
from typing import Any

import grpc
import orjson
import pytest
import requests
from google.protobuf import duration_pb2
from google.rpc import error_details_pb2, status_pb2
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from otel_arthur.genai.otlp import zstd
from tests.support.processes.collectors import ArthurCollector
from tests.support.servers.next_hops import GRPCServerBehind, HTTPServerBehind
from tests.support.servers.ports import free_port
from tests.support.spans.otlp_requests import (
    METHODS,
    all_spans,
    ids,
    llm_request,
    otlp_json,
    plain_request,
    status_details,
)
from tests.support.waiting import PATIENCE, eventually

PROTOBUF = {"Content-Type": "application/x-protobuf"}
JSON = {"Content-Type": "application/json"}
Start = Callable[..., ArthurCollector]
REJECTED = ExportTraceServiceResponse()
REJECTED.partial_success.rejected_spans = 3
REJECTED.partial_success.error_message = "too old"


def post(collector: ArthurCollector, body: bytes, headers: dict[str, str]) -> requests.Response:
    return requests.post(f"{collector.http}/v1/traces", data=body, headers=headers, timeout=PATIENCE)


def call(collector: ArthurCollector, body: bytes, metadata: Any = ()) -> bytes:
    with grpc.insecure_channel(collector.grpc) as channel:
        return channel.unary_unary(METHODS["traces"])(body, metadata=metadata, timeout=PATIENCE)


def with_unknown_fields(request: ExportTraceServiceRequest) -> bytes:
    """A request from the future: field 2000 on the span and on the request."""
    unknown = b"\x82\x7d\x05hello"
    request.resource_spans[0].scope_spans[0].spans[0].MergeFromString(unknown)
    return request.SerializeToString() + unknown


@pytest.mark.parametrize("make", [llm_request, plain_request])
@pytest.mark.parametrize(
    ("encoding", "headers"),
    [
        ("protobuf", PROTOBUF),
        ("json", JSON),
        ("gzip", {**PROTOBUF, "Content-Encoding": "gzip"}),
        ("zstd", {**PROTOBUF, "Content-Encoding": "zstd"}),
    ],
)
def test_http_hands_on_the_very_bytes(
    collector: Start, make: Any, encoding: str, headers: dict[str, str]
) -> None:
    body = with_unknown_fields(make(3))
    if encoding == "json":
        # Spaces and unknown names, as no serialiser of ours would write them.
        body = orjson.dumps({"fromTomorrow": 1, **otlp_json(make(3))}, option=orjson.OPT_INDENT_2)
    elif encoding == "gzip":
        body = gzip.compress(body)
    elif encoding == "zstd":
        body = zstd.compress(body)
    with HTTPServerBehind() as behind:
        ours = collector(forward=f"{{endpoint: '{behind.url}'}}")
        response = post(ours, body, {**headers, "X-Scope-OrgID": "tenant-7", "Authorization": "Basic abc"})
        assert response.status_code == 200
        (got,) = behind.got
    assert got.path == "/v1/traces"
    assert got.body == body
    assert got.headers["content-type"] == headers["Content-Type"]
    assert got.headers.get("content-encoding") == headers.get("Content-Encoding")
    assert got.headers["x-scope-orgid"] == "tenant-7"
    assert got.headers["authorization"] == "Basic abc"


def test_grpc_hands_on_the_very_bytes_and_metadata(collector: Start) -> None:
    body = with_unknown_fields(llm_request(2))
    with GRPCServerBehind() as behind:
        ours = collector(forward=f"{{endpoint: '{behind.url}'}}")
        call(ours, body, (("x-scope-orgid", "tenant-7"), ("key-bin", b"\x00\xff")))
        (got,) = behind.got
    assert got.body == body
    assert ("x-scope-orgid", "tenant-7") in got.metadata
    assert ("key-bin", b"\x00\xff") in got.metadata


def test_between_transports_only_json_is_encoded_anew(collector: Start) -> None:
    request = llm_request(2)
    body = with_unknown_fields(request)
    with GRPCServerBehind() as behind:
        ours = collector(forward=f"{{endpoint: '{behind.url}'}}")
        assert post(ours, gzip.compress(body), {**PROTOBUF, "Content-Encoding": "gzip"}).status_code == 200
        assert post(ours, orjson.dumps(otlp_json(request)), JSON).content == b"{}"
        assert behind.got[0].body == body
        assert all_spans(ExportTraceServiceRequest.FromString(behind.got[1].body))[0].name == "chat gpt-4o"
    with HTTPServerBehind() as behind:
        ours = collector(name="second", forward=f"{{endpoint: '{behind.url}'}}")
        call(ours, body, (("x-scope-orgid", "tenant-7"),))
        assert behind.got[0].body == body
        assert behind.got[0].headers["x-scope-orgid"] == "tenant-7"
        assert behind.got[0].headers["content-type"] == "application/x-protobuf"


def test_configured_headers_replace_the_senders(collector: Start) -> None:
    with HTTPServerBehind() as behind:
        ours = collector(
            forward=f"{{endpoint: '{behind.url}/prefix', headers: {{Authorization: 'Bearer next'}}}}"
        )
        post(
            ours,
            b"",
            {**PROTOBUF, "Authorization": "Bearer sender", "Connection": "close, X-Hop", "X-Hop": "1"},
        )
        (got,) = behind.got
    assert got.path == "/prefix/v1/traces"
    assert got.headers["authorization"] == "Bearer next"
    assert "x-hop" not in got.headers


@pytest.mark.parametrize("status", [400, 403, 404, 429, 500, 502, 503])
def test_http_answers_come_back(collector: Start, status: int) -> None:
    body = status_pb2.Status(message=f"said {status}").SerializeToString()
    with HTTPServerBehind() as behind:
        behind.answer = lambda _got: (status, {**PROTOBUF, "Retry-After": "17"}, body)
        ours = collector(forward=f"{{endpoint: '{behind.url}'}}")
        response = post(ours, llm_request().SerializeToString(), PROTOBUF)
        assert (response.status_code, response.content) == (status, body)
        assert response.headers["Retry-After"] == "17"
        with pytest.raises(grpc.RpcError) as error:
            call(ours, llm_request().SerializeToString())
    over_http = status in (429, 502, 503, 504)
    details = status_details(error.value)
    retry = error_details_pb2.RetryInfo()
    told = bool(details) and any(d.Unpack(retry) for d in status_pb2.Status.FromString(details).details)
    code = error.value.code()
    over_grpc = code is grpc.StatusCode.UNAVAILABLE or (code is grpc.StatusCode.RESOURCE_EXHAUSTED and told)
    assert over_grpc == over_http
    assert error.value.details() == f"said {status}"
    if over_http:
        assert retry.retry_delay.seconds == 17


def test_a_proxys_page_becomes_a_status(collector: Start) -> None:
    with HTTPServerBehind() as behind:
        behind.answer = lambda _got: (502, {"Content-Type": "text/html"}, b"<html>bad gateway</html>")
        ours = collector(forward=f"{{endpoint: '{behind.url}'}}")
        response = post(ours, b"{}", JSON)
    assert response.status_code == 502
    assert "HTTP 502" in response.json()["message"]


def test_partial_success_comes_back(collector: Start) -> None:
    request = llm_request()
    with HTTPServerBehind() as behind:
        behind.answer = lambda _got: (200, PROTOBUF, REJECTED.SerializeToString())
        ours = collector(forward=f"{{endpoint: '{behind.url}'}}")
        assert post(ours, request.SerializeToString(), PROTOBUF).content == REJECTED.SerializeToString()
        assert call(ours, request.SerializeToString()) == REJECTED.SerializeToString()
    with GRPCServerBehind() as behind:
        behind.answer = lambda _body, _context: REJECTED.SerializeToString()
        ours = collector(name="second", forward=f"{{endpoint: '{behind.url}'}}")
        answer = post(ours, orjson.dumps(otlp_json(request)), JSON).json()
    assert answer["partialSuccess"] == {"rejectedSpans": "3", "errorMessage": "too old"}


@pytest.mark.parametrize(
    ("code", "delay", "status"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, None, 400),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, None, 413),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, 7, 429),
        (grpc.StatusCode.UNAVAILABLE, 7, 503),
        (grpc.StatusCode.INTERNAL, None, 500),
        (grpc.StatusCode.DATA_LOSS, None, 503),
        (grpc.StatusCode.UNAUTHENTICATED, None, 401),
    ],
)
def test_grpc_answers_come_back(collector: Start, code: Any, delay: int | None, status: int) -> None:
    details = status_pb2.Status(code=code.value[0], message="said so")
    if delay is not None:
        info = error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(seconds=delay))
        details.details.add().Pack(info)
    raw = details.SerializeToString()

    def answer(_body: bytes, context: grpc.ServicerContext) -> bytes:
        context.set_trailing_metadata((("grpc-status-details-bin", raw),))
        context.abort(code, "said so")
        raise AssertionError

    with GRPCServerBehind() as behind:
        behind.answer = answer
        ours = collector(forward=f"{{endpoint: '{behind.url}'}}")
        with pytest.raises(grpc.RpcError) as error:
            call(ours, llm_request().SerializeToString())
        response = post(ours, llm_request().SerializeToString(), PROTOBUF)
    assert (error.value.code(), error.value.details()) == (code, "said so")
    assert status_details(error.value) == raw
    assert response.status_code == status
    assert status_pb2.Status.FromString(response.content).message == "said so"
    assert response.headers.get("Retry-After") == (str(delay or 1) if status in (429, 503) else None)


def test_a_next_hop_that_is_down_is_retryable_and_costs_no_inference(
    collector: Start, account: Any, model_id: str
) -> None:
    with HTTPServerBehind() as behind:
        url = behind.url
    ours = collector(forward=f"{{endpoint: '{url}'}}")
    request = llm_request(2)
    response = post(ours, request.SerializeToString(), PROTOBUF)
    assert response.status_code == 503
    assert int(response.headers["Retry-After"]) >= 1
    # The sender comes again, as it must: still each call is one inference.
    post(ours, request.SerializeToString(), PROTOBUF)
    ours.stop()
    assert set(account.inferences(model_id)) == set(ids(request))


def test_a_next_hop_that_hangs_does_not_stop_inferences(
    collector: Start, account: Any, model_id: str
) -> None:
    release = threading.Event()
    with HTTPServerBehind() as behind:
        behind.answer = lambda _got: ((release.wait(PATIENCE) and 200) or 200, PROTOBUF, b"")
        ours = collector(forward=f"{{endpoint: '{behind.url}', timeout: 300ms}}")
        sent = [llm_request() for _ in range(12)]
        statuses = [post(ours, request.SerializeToString(), PROTOBUF).status_code for request in sent]
        assert set(statuses) <= {503, 504}
        # Found out once: what comes after a few timeouts is answered without waiting for one.
        assert 503 in statuses
        release.set()
        eventually(
            lambda: post(ours, plain_request().SerializeToString(), PROTOBUF).status_code == 200,
            "forwarding after the hang",
        )
        ours.stop()
    assert set(account.inferences(model_id)) == {identity for request in sent for identity in ids(request)}


def test_arthur_down_does_not_stop_forwarding(collector: Start, account: Any, model_id: str) -> None:
    request = llm_request(3)
    with HTTPServerBehind() as behind:
        ours = collector(forward=f"{{endpoint: '{behind.url}'}}")
        account.arthur.stop()
        assert post(ours, request.SerializeToString(), PROTOBUF).status_code == 200
        assert behind.got[0].body == request.SerializeToString()
        account.arthur.start()
        ours.stop()
    assert set(account.inferences(model_id)) == set(ids(request))


def test_stamping_adds_the_id_to_llm_spans_alone(collector: Start, account: Any, model_id: str) -> None:
    request = llm_request(2)
    request.resource_spans.extend(plain_request(1).resource_spans)
    untouched = plain_request(2).SerializeToString() + b"\x82\x7d\x05hello"
    with HTTPServerBehind() as behind:
        ours = collector(forward=f"{{endpoint: '{behind.url}', stamp: true}}")
        assert post(ours, request.SerializeToString(), PROTOBUF).status_code == 200
        assert post(ours, orjson.dumps(otlp_json(request)), JSON).json() == {}
        assert post(ours, untouched, PROTOBUF).status_code == 200
        for got in behind.got[:2]:
            spans = all_spans(ExportTraceServiceRequest.FromString(got.body))
            stamps = [
                [a.value.string_value for a in span.attributes if a.key == "arthur.inference.id"]
                for span in spans
            ]
            assert stamps == [[ids(request)[0]], [ids(request)[1]], []]
        assert behind.got[2].body == untouched
    ours.stop()
    assert set(account.inferences(model_id)) == set(ids(request)[:2])


def test_a_loop_is_found(collector: Start, tmp_path: Any) -> None:
    """Our next hop is a collector of ours whose next hop is a relay back to us."""
    port = free_port()
    receivers = f"{{otlp: {{http: {{endpoint: '127.0.0.1:{port}'}}}}}}"
    second = collector(name="second", forward=f"{{endpoint: 'http://127.0.0.1:{port}'}}")
    first = collector(name="first", receivers=receivers, forward=f"{{endpoint: '{second.http}'}}")
    response = post(first, llm_request().SerializeToString(), PROTOBUF)
    assert response.status_code == 508
    assert "been here before" in status_pb2.Status.FromString(response.content).message
    assert first.metrics()['otelcol_arthur_loops{found_by="header"}'] == 1
