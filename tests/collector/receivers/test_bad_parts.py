"""One bad record: the bytes go on as they came, the good calls are recorded, the bad one is counted.

A request of which nothing may be read: the answer says why.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from typing import Any

import grpc
import orjson
import pytest
import requests

from otel_arthur.genai.otlp import spoiled, zstd
from tests.support.processes.collectors import ArthurCollector
from tests.support.servers.account import Account
from tests.support.servers.next_hops import GRPCServerBehind, HTTPServerBehind
from tests.support.spans.broken import document, request, spans_in_protobuf, spans_of, wrapped
from tests.support.spans.otlp_requests import METHODS, log_request, metric_request, otlp_json, plain_request
from tests.support.waiting import PATIENCE

Start = Callable[..., ArthurCollector]
PROTOBUF, JSON = "application/x-protobuf", "application/json"


def no_text(first: int) -> bytes:
    content = request(3, first).SerializeToString()
    return content.replace(b"answer %d" % (first + 1), b"answe\xff %d" % (first + 1), 1)


def no_record(first: int) -> bytes:
    spans = spans_in_protobuf(3, first)
    return wrapped([spans[0], spans[1] + b"\x0f", spans[2]])


def unfit(field: str, value: Any) -> Callable[[int], bytes]:
    def body(first: int) -> bytes:
        found = document(3, first)
        spans_of(found)[1][field] = value
        # Beside what is known of OTLP, what may come.
        return orjson.dumps({"added later": 1, **found})

    return body


def half_an_emoji(first: int) -> bytes:
    """As JavaScript has a text that is cut inside one; also in a name, in a list and in what is not known."""
    found = document(3, first)
    half = {"key": "half", "value": {"arrayValue": {"values": [{"stringValue": "half"}]}}}
    spans_of(found)[1]["attributes"].append(half)
    body = orjson.dumps({"half": "half", **found}).replace(
        b"answer %d" % (first + 1), b"answehalf %d" % (first + 1)
    )
    return body.replace(b"half", rb"\ud83d")


def no_number(first: int) -> bytes:
    found = document(3, first)
    spans_of(found)[1]["attributes"].append({"key": "score", "value": {"doubleValue": float("nan")}})
    return json.dumps(found).encode()


CASES: list[tuple[str, Callable[[int], bytes], str]] = [
    (PROTOBUF, no_text, spoiled.TEXT),
    (PROTOBUF, no_record, spoiled.RECORD),
    ("gRPC", no_text, spoiled.TEXT),
    ("gRPC", no_record, spoiled.RECORD),
    (JSON, half_an_emoji, spoiled.TEXT),
    (JSON, no_number, ""),
    (JSON, unfit("traceId", "not hexadecimal"), spoiled.UNFIT),
    (JSON, unfit("attributes", [{"key": "a", "value": 7}]), spoiled.UNFIT),
    (JSON, unfit("startTimeUnixNano", "soon"), spoiled.UNFIT),
]


def sent(ours: ArthurCollector, kind: str, body: bytes) -> None:
    if kind == "gRPC":
        with grpc.insecure_channel(ours.grpc) as channel:
            channel.unary_unary(METHODS["traces"])(body, timeout=PATIENCE)
        return
    answer = requests.post(f"{ours.http}/v1/traces", body, headers={"Content-Type": kind}, timeout=PATIENCE)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("stamp", ["false", "true"])
def test_a_bad_record_spoils_only_itself(
    collector: Start, account: Account, model_id: str, stamp: str
) -> None:
    expected: set[str] = set()
    with HTTPServerBehind() as behind:
        ours = collector(forward=f"{{endpoint: '{behind.url}', stamp: {stamp}}}")
        for number, (kind, body_from, reason) in enumerate(CASES):
            first = 1 + 3 * number
            body = body_from(first)
            sent(ours, kind, body)
            # Nothing is bad in a number that has another form: its request is stamped.
            assert behind.got[-1].body == body or (stamp == "true" and not reason)
            expected |= {f"answer {first}", f"answer {first + 2}"}
            expected |= {f"answe\ufffd {first + 1}"} if reason is spoiled.TEXT else set()
            expected |= set() if reason else {f"answer {first + 1}"}
        counted = ours.metrics()
        ours.stop()
    for reason in (spoiled.TEXT, spoiled.RECORD, spoiled.UNFIT):
        number = sum(reason is told for _, _, told in CASES)
        assert counted[f'otelcol_arthur_parts_unread{{reason="{reason}"}}'] == number
    assert {row["output_text"] for row in account.inferences(model_id).values()} == expected


def test_half_an_emoji_in_json_costs_no_request_of_any_signal(collector: Start) -> None:
    traces, logs, metrics = plain_request(), log_request(), metric_request()
    traces.resource_spans[0].scope_spans[0].spans[0].name = "cut: \ufffd"
    logs.resource_logs[0].scope_logs[0].log_records[0].body.string_value = "cut: \ufffd"
    metrics.resource_metrics[0].scope_metrics[0].metrics[0].name = "cut: \ufffd"
    told = {"traces": traces, "logs": logs, "metrics": metrics}
    # The low half alone is no text either.
    bodies = [json.dumps(otlp_json(one)).replace(r"\ufffd", r"\udE00").encode() for one in told.values()]
    with HTTPServerBehind() as over_http, GRPCServerBehind() as over_grpc:
        for number, forward in enumerate(("", over_http.url, over_grpc.url)):
            way = {"forward": f"{{endpoint: '{forward}'}}"} if forward else {}
            ours = collector(name=f"collector-{number}", **way)
            for signal, body in zip(told, bodies, strict=True):
                url, headers = f"{ours.http}/v1/{signal}", {"Content-Type": JSON}
                answer = requests.post(url, body, headers=headers, timeout=PATIENCE)
                assert (answer.status_code, answer.text) == (200, "{}"), (forward, signal)
        assert [got.body for got in over_http.got] == bodies
        pairs = zip(told.values(), over_grpc.got, strict=True)
        assert [type(one).FromString(got.body) for one, got in pairs] == [*told.values()]


def test_a_request_of_which_nothing_fits_is_refused(collector: Start) -> None:
    body = orjson.loads(unfit("traceId", 7)(1))
    del spans_of(body)[2], spans_of(body)[0]
    ours = collector()
    answer = requests.post(
        f"{ours.http}/v1/traces", orjson.dumps(body), headers={"Content-Type": JSON}, timeout=PATIENCE
    )
    assert answer.status_code == 400
    ours.stop()


REACHED: dict[str, tuple[int, str, str, bytes]] = {
    "limits.max_request_mb": (413, PROTOBUF, "gzip", gzip.compress(bytes(3 << 20))),
    "limits.max_items": (413, JSON, "gzip", gzip.compress(b"[" * 1_100_000)),
    "limits.max_in_flight_mb": (413, JSON, "gzip", gzip.compress(b'{"a":[' + b"{}," * 60_000 + b"{}]}")),
    "zstd body has more than 1000 members or frames": (400, PROTOBUF, "zstd", zstd.compress(b"") * 200_000),
    "gzip body has more than 1000 members or frames": (400, PROTOBUF, "gzip", gzip.compress(b"") * 1_001),
}


def test_a_refusal_names_the_limit_that_was_reached(collector: Start) -> None:
    ours = collector(limits="{max_request_mb: 2, max_in_flight_mb: 16}")
    for limit, (status, kind, encoding, body) in REACHED.items():
        headers = {"Content-Type": kind, "Content-Encoding": encoding}
        answer = requests.post(f"{ours.http}/v1/traces", body, headers=headers, timeout=PATIENCE)
        assert (answer.status_code, limit in answer.text) == (status, True), answer.text
