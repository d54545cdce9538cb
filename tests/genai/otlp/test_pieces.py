"""One document or message of any size is read in pieces, and says what it says as a whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_arthur.genai.otlp import files
from otel_arthur.genai.otlp.json import texts
from otel_arthur.genai.otlp.spoiled import Spoiled
from tests.support.paths import CAPTURES
from tests.support.spans.broken import document, request, spans_of
from tests.support.spans.otlp_requests import otlp_json

PAIRS = CAPTURES / "pair-oll-langchain+oi-langchain" / "default"
LOGS = CAPTURES / "genai-langchain-1.3b0" / "event_only" / "d_agent.logs.pb"


@pytest.fixture(params=[64, 1_000, 5_000])
def _small(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "PIECE", request.param)
    monkeypatch.setattr(files, "PIECE", request.param)


def read(content: bytes) -> tuple[list[Any], Spoiled]:
    spoiled = Spoiled()
    exports = list(files.exports_in(BytesIO(content), spoiled))
    return [one for export in exports for one in (*export.views, *export.events)], spoiled


def whole(monkeypatch: pytest.MonkeyPatch, content: bytes) -> list[Any]:
    with monkeypatch.context() as patch:
        patch.setattr(texts, "PIECE", 1 << 30)
        patch.setattr(files, "PIECE", 1 << 30)
        return read(content)[0]


def joined() -> ExportTraceServiceRequest:
    """Several resources and scopes with several spans each."""
    together = ExportTraceServiceRequest()
    for file in sorted(PAIRS.glob("[a-f]*.pb")):
        together.MergeFromString(file.read_bytes())
    return together


def forms() -> Iterator[bytes]:
    logs = ExportLogsServiceRequest.FromString(LOGS.read_bytes())
    for message in (joined(), logs):
        found = otlp_json(message)
        plain = json.dumps(found).encode()
        yield from (message.SerializeToString(), plain, json.dumps(found, indent=2).encode())
        yield from (
            json.dumps([found, found]).encode(),
            plain + b"\n" + plain + b"\n",
            b"\n".join([plain] * 2),
        )
        yield json.dumps(found, separators=(",\n", ":")).encode()
    scored = document(20)
    for span in spans_of(scored):
        span["attributes"].append({"key": "score", "value": {"doubleValue": float("inf")}})
    yield json.dumps(scored).encode()
    both = {**otlp_json(joined()), "resourceMetrics": [{"a": 1}] * 9, **otlp_json(logs), "unknown": "x" * 99}
    yield json.dumps(both).encode()


@pytest.mark.usefixtures("_small")
def test_what_is_read_in_pieces_says_what_the_whole_says(monkeypatch: pytest.MonkeyPatch) -> None:
    for content in forms():
        found, spoiled = read(content)
        assert found == whole(monkeypatch, content)
        assert len(found) > 1
        assert not spoiled.counts


@pytest.mark.usefixtures("_small")
@pytest.mark.parametrize("form", ["protobuf", "JSON", "JSON lines"])
def test_what_stands_before_a_tear_is_read(form: str) -> None:
    message = request(100)
    content = {
        "protobuf": message.SerializeToString(),
        "JSON": json.dumps(document(100)).encode(),
        "JSON lines": b"".join(json.dumps(document(50, first)).encode() + b"\n" for first in (1, 51)),
    }[form]
    found, spoiled = read(content[:-99])
    assert 50 <= len(found) < 100
    assert sum(spoiled.counts.values()) == 1
    with pytest.raises(files.OTLPError):
        read(content[:20] + b"}" * 9_000)


@pytest.mark.usefixtures("_small")
def test_a_torn_line_of_any_length_spoils_only_itself() -> None:
    lines = [json.dumps(document(20, first)).encode() for first in (1, 21, 41)]
    for torn in range(3):
        found, spoiled = read(
            b"\n".join([line[:-9] if number == torn else line for number, line in enumerate(lines)])
        )
        spans = {view.span_id[:2] for view in found}
        whole_ones = {
            f"{first + n:02x}" for at, first in enumerate((1, 21, 41)) if at != torn for n in range(20)
        }
        assert whole_ones <= spans
        assert spoiled.counts


def test_a_resource_behind_its_spans_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "PIECE", 200)
    found = document(20)
    named: Any = {"attributes": [{"key": "service.name", "value": {"stringValue": "app"}}]}
    found["resourceSpans"] = [{"scopeSpans": [{"spans": spans_of(found)}], "resource": named}]
    views, spoiled = read(json.dumps(found).encode())
    assert len(views) == 20
    assert "a resource or scope behind its records" in str(spoiled)
