"""What is read depends on what was written alone: not on its order, its encoding or the way that it came."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from io import BytesIO
from typing import Any

import orjson
import pytest
from google.protobuf.json_format import MessageToDict
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from otel_arthur.genai.dialects import DIALECTS
from otel_arthur.genai.duplicates.verdicts import judge
from otel_arthur.genai.otlp.files import exports_in
from otel_arthur.genai.otlp.spoiled import Spoiled
from otel_arthur.genai.otlp.views import span_views
from otel_arthur.genai.reading import read
from otel_arthur.genai.span import SpanView
from otel_arthur.inference.build import build
from otel_arthur.sdk.inside_the_sdk import attributes_of, view_of
from tests.genai.matrix.truth import CAPTURES
from tests.genai.writers import WRITERS
from tests.genai.written import Writer
from tests.support.spans.readable import readable_spans

RECORDED = (
    "main-road-1.5.2/anthropic/d_parallel_agent",
    "main-road-1.5.2/responses/s_search_history",
    "main-road-1.5.2/chat/i_n2",
    "oll-openai-0.53.4/default/d_tools",
    "oi-langchain-0.1.80/default/s_image",
    "pair-oi-langchain+oi-openai/default/k_async",
    "pydantic-ai-1.9.1/version_2/d_tools",
    "langfuse-5.0.4/default/b_stream",
    "vercel-ai-6.0.326/default/d_tools",
    "llama-index-events-0.7.0/default/a_invoke",
    "strands-1.62.0/default/d_tools",
    "google-adk-2.13.0/span_only/d_tools",
)
HIDDEN = {dialect.hidden for dialect in DIALECTS}
"""Words that stand for hidden ones. Hypothesis takes texts from the code that is imported, too."""
words = st.text(
    st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from("\n\t\"\\{}[]:,'"),
    min_size=1,
    max_size=40,
).filter(lambda text: text.strip() == text and text not in HIDDEN)
plain = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 99) | words,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(("berries", "red", "ripe", "a b", "ü")), inner, max_size=3)
    ),
    max_leaves=6,
)
"""Values of the writer's own shape: no name in them is one of a message."""
texts = words | plain.map(json.dumps) | plain.map(lambda value: json.dumps(value, indent=1))


@pytest.mark.parametrize("writer", WRITERS, ids=[f"{w.dialect}-{w.write.__name__}" for w in WRITERS])
@settings(max_examples=25)
@given(question=texts, answer=texts)
def test_what_a_dialects_writer_puts_in_comes_out(writer: Writer, question: str, answer: str) -> None:
    call = read(writer.span(question, answer)).call
    assert call is not None
    assert [message.text for message in call.messages] == [question]
    assert [choice.message.text for choice in call.choices] == [answer]


@cache
def recorded(path: str) -> ExportTraceServiceRequest:
    return ExportTraceServiceRequest.FromString((CAPTURES / f"{path}.pb").read_bytes())


def inferences(views: Iterable[SpanView]) -> dict[str, Any]:
    """What is sent, by its id, and what is not, with the reason."""
    found: dict[str, Any] = {}
    for verdict in judge(list(views)):
        call = verdict.reading.call
        if call is not None and verdict.decision in ("inference", "failed"):
            found |= {one.partner_inference_id: one.data for one in build(call)}
        else:
            found[verdict.view.span_id] = verdict.decision, verdict.reason
    return found


def in_json(request: ExportTraceServiceRequest) -> bytes:
    document: dict[str, Any] = MessageToDict(request)
    spans = (
        span
        for resource in document["resourceSpans"]
        for scope in resource["scopeSpans"]
        for span in scope["spans"]
    )
    for span, real in zip(spans, all_spans(request), strict=True):
        span["traceId"], span["spanId"] = real.trace_id.hex(), real.span_id.hex()
        if real.parent_span_id:
            span["parentSpanId"] = real.parent_span_id.hex()
        for link, real_link in zip(span.get("links", ()), real.links, strict=True):
            link["traceId"], link["spanId"] = real_link.trace_id.hex(), real_link.span_id.hex()
    return orjson.dumps(document)


def all_spans(request: ExportTraceServiceRequest) -> list[Any]:
    return [
        span for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans
    ]


def alone(request: ExportTraceServiceRequest) -> list[ExportTraceServiceRequest]:
    """A request for each span."""
    found: list[ExportTraceServiceRequest] = []
    for resource in request.resource_spans:
        for scope in resource.scope_spans:
            for span in scope.spans:
                one = ExportTraceServiceRequest()
                of_resource = one.resource_spans.add(
                    resource=resource.resource, schema_url=resource.schema_url
                )
                of_resource.scope_spans.add(scope=scope.scope, schema_url=scope.schema_url, spans=[span])
                found.append(one)
    return found


def read_file(content: bytes) -> list[SpanView]:
    return [view for export in exports_in(BytesIO(content), Spoiled()) for view in export.views]


def permuted(request: ExportTraceServiceRequest, chance: random.Random) -> list[SpanView]:
    """The same spans in another order, with their attributes in another order."""
    views = [
        replace(
            view,
            attributes=shuffled(view.attributes, chance),
            events=[replace(one, attributes=shuffled(one.attributes, chance)) for one in view.events],
        )
        for view in span_views(request)
    ]
    chance.shuffle(views)
    return views


def shuffled(attributes: Mapping[str, Any], chance: random.Random) -> dict[str, Any]:
    items = list(attributes.items())
    chance.shuffle(items)
    return dict(items)


def split_in_json(request: ExportTraceServiceRequest, chance: random.Random) -> list[SpanView]:
    """A file with an export of each span on a line of its own, in any order."""
    lines = [in_json(one) for one in alone(request)]
    chance.shuffle(lines)
    return read_file(b"\n".join(lines))


def split_in_protobuf(request: ExportTraceServiceRequest, chance: random.Random) -> list[SpanView]:
    parts = alone(request)
    chance.shuffle(parts)
    return [view for part in parts for view in read_file(part.SerializeToString())]


def by_the_sdk(request: ExportTraceServiceRequest, chance: random.Random) -> list[SpanView]:
    """As the exporter sees them in the process where they ended."""
    spans = list(readable_spans(request))
    chance.shuffle(spans)
    return [view_of(span, attributes_of(span)) for span in spans]


WAYS: Sequence[Callable[[ExportTraceServiceRequest, random.Random], list[SpanView]]] = (
    permuted,
    split_in_json,
    split_in_protobuf,
    by_the_sdk,
)


@pytest.mark.parametrize("way", WAYS, ids=[way.__name__ for way in WAYS])
@pytest.mark.parametrize("path", RECORDED)
@settings(max_examples=5)
@given(chance=st.randoms(use_true_random=False))
def test_the_way_that_spans_come_changes_nothing(path: str, way: Any, chance: random.Random) -> None:
    request = recorded(path)
    expected = inferences(span_views(request))
    assert any(not isinstance(one, tuple) for one in expected.values())
    assert inferences(way(request, chance)) == expected
