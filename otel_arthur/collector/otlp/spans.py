"""Questions about spans that are still protobuf: which may be LLM calls, and which are not valid."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from msgspec.structs import replace
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from otel_arthur.collector.otlp.inflating import BadBody
from otel_arthur.genai.dialects import MARKER_BYTES
from otel_arthur.genai.duplicates.kin import kin_of
from otel_arthur.genai.events.agentcore import MESSAGES
from otel_arthur.genai.otlp.views import attribute_map, is_parent_remote, span_view
from otel_arthur.genai.span import STATUS_ERROR, SpanKey, SpanView, period
from otel_arthur.genai.steps.kinds import SCOPES, STEP_MARKERS
from otel_arthur.genai.steps.reading import around
from otel_arthur.genai.steps.step import Frame, Step

MAX_ATTRIBUTES = 20_000
"""Attributes of one span, with its events and its resource: more are no LLM call but an attack on memory."""
_HEX = re.compile("[0-9a-fA-F]+").fullmatch
STAMP = "arthur.inference.id"


def has_marker(content: bytes) -> bool:
    """Whether bytes of OTLP may hold an LLM span, by a search that walks no attribute."""
    return any(piece in content for piece in _SEARCHED)


def may_hold_events(content: bytes) -> bool:
    """Whether bytes of OTLP logs may hold messages of an LLM call, likewise."""
    return has_marker(content) or any(piece in content for piece in _OF_BODIES)


def _searched(markers: Sequence[bytes]) -> tuple[bytes, ...]:
    """The fewest pieces of bytes that find all markers: common beginnings, and no piece inside another."""
    stems = [marker[: marker.find(b".") + 1] or marker for marker in markers]
    pieces = {stem if stems.count(stem) > 1 else m for stem, m in zip(stems, markers, strict=True)}
    fewest = (p for p in pieces if not any(other != p and other in p for other in pieces))
    # The conventions' own are the shortest, and nearly every LLM span has one.
    return tuple(sorted(fewest, key=lambda piece: (len(piece), piece)))


_SEARCHED = _searched(MARKER_BYTES)
# A conversation in a body has no name of the conventions: the key as protobuf has it, and as JSON has it.
_OF_BODIES = (bytes([len(MESSAGES)]) + MESSAGES.encode(), f'"{MESSAGES}"'.encode())
_OF_STEPS = _searched(tuple(marker.encode() for marker in STEP_MARKERS))


class Placed(NamedTuple):
    """A span that is no call, with its resource and scope."""

    resource_spans: Any
    scope: Any
    span: Span
    may_be_step: bool


def candidates(
    request: Any, skip: Callable[[str], None], others: list[Placed] | None = None
) -> Iterator[tuple[SpanView, Span]]:
    """Spans that may be LLM calls, as views; the others are never read.

    Args:
        request: an ``ExportTraceServiceRequest``.
        skip: called with the reason of each candidate that is left out.
        others: takes the spans that cannot be calls.
    """
    marked = list(_marked(request, skip, others))
    parents = _parents(request, {span.trace_id for _, _, span in marked})
    kin = kin_of([_key(span) for _, _, span in marked], parents)
    last: Any = None
    resource: Mapping[str, Any] = {}
    for resource_spans, scope, span in marked:
        if resource_spans is not last:
            last, resource = resource_spans, attribute_map(resource_spans.resource.attributes)
        view = span_view(span, scope.name, scope.version, resource)
        if (own := kin.get((view.trace_id, view.span_id))) is not None:
            view = replace(view, kin=replace(own, is_parent_remote=view.kin.is_parent_remote))
        yield view, span


def around_in(others: Iterable[Placed]) -> Iterator[tuple[SpanView | None, Step | Frame]]:
    """What spans that cannot be calls are in their traces, each with its view where the view was made."""
    last: Any = None
    service: str | None = None
    for resource_spans, scope, span, may_be_step in others:
        if may_be_step:
            resource = attribute_map(resource_spans.resource.attributes)
            view = span_view(span, scope.name, scope.version, resource)
            yield view, around(view)
            continue
        if resource_spans is not last:
            last, service = resource_spans, _service_of(resource_spans.resource)
        yield (
            None,
            Frame(
                *_key(span),
                span.parent_span_id.hex() or None,
                is_parent_remote(span),
                span.name,
                *period(span.start_time_unix_nano, span.end_time_unix_nano),
                span.status.code == STATUS_ERROR,
                service,
            ),
        )


def _service_of(resource: Any) -> str | None:
    for attribute in resource.attributes:
        if attribute.key == "service.name":
            return attribute.value.string_value or None
    return None


def _marked(
    request: Any, skip: Callable[[str], None], others: list[Placed] | None
) -> Iterator[tuple[Any, Any, Span]]:
    """Resource, scope and span of each span that may be a call."""
    for resource_spans in request.resource_spans:
        for scope_spans in resource_spans.scope_spans:
            for span in scope_spans.spans:
                content = span.SerializeToString()
                if not has_marker(content):
                    if others is not None and _has_valid_ids(span):
                        scope = scope_spans.scope
                        others.append(Placed(resource_spans, scope, span, _may_be_step(content, scope.name)))
                    continue
                if not _has_valid_ids(span):
                    skip("invalid id")
                elif attribute_count(span, resource_spans.resource.attributes) > MAX_ATTRIBUTES:
                    skip("too many attributes")
                else:
                    yield resource_spans, scope_spans.scope, span


def _may_be_step(content: bytes, scope: str) -> bool:
    return scope.startswith(SCOPES) or any(piece in content for piece in _OF_STEPS)


def _key(span: Span) -> SpanKey:
    return span.trace_id.hex(), span.span_id.hex()


def _parents(request: Any, traces: Collection[bytes]) -> dict[SpanKey, str | None]:
    """Span -> its parent, of all spans in these traces."""
    return {
        _key(span): span.parent_span_id.hex() or None
        for resource_spans in (request.resource_spans if traces else ())
        for scope_spans in resource_spans.scope_spans
        for span in scope_spans.spans
        if span.trace_id in traces
    }


def invalid_ids(request: Any) -> int:
    """Spans whose ids are not allowed (``trace.proto``: 16 and 8 bytes, not all zeros)."""
    return sum(
        not _has_valid_ids(span)
        for resource_spans in request.resource_spans
        for scope_spans in resource_spans.scope_spans
        for span in scope_spans.spans
    )


def invalid_json_ids(document: Mapping[str, Any]) -> int:
    """The same of an OTLP/JSON document.

    Raises:
        BadBody: an id is not hexadecimal, or what should be a list of spans is none.
    """
    try:
        return sum(
            not (
                _is_json_id(_of(span, "traceId", "trace_id"), 32)
                and _is_json_id(_of(span, "spanId", "span_id"), 16)
            )
            for resource_spans in _of(document, "resourceSpans", "resource_spans") or ()
            for scope_spans in _of(resource_spans, "scopeSpans", "scope_spans") or ()
            for span in scope_spans.get("spans") or ()
        )
    except (AttributeError, TypeError):
        raise BadBody("the body is not OTLP/JSON: its spans are not lists of objects") from None


def _of(message: Mapping[str, Any], camel: str, snake: str) -> Any:
    return message.get(camel) or message.get(snake)


def stamp(span: Span, inference_id: str) -> None:
    """Write an inference's id onto its span, in place."""
    for attribute in span.attributes:
        if attribute.key == STAMP:
            attribute.value.string_value = inference_id
            return
    span.attributes.add(key=STAMP).value.string_value = inference_id


def _has_valid_ids(span: Span) -> bool:
    return len(span.trace_id) == 16 and len(span.span_id) == 8 and any(span.trace_id) and any(span.span_id)


def _is_json_id(value: object, digits: int) -> bool:
    if value is None:
        return False
    if not isinstance(value, str) or _HEX(value) is None:
        raise BadBody("the body is not OTLP/JSON: an id must be a text of hexadecimal digits")
    return len(value) == digits and value.strip("0") != ""


def attribute_count(span: Any, resource: Collection[Any]) -> int:
    """Attributes of a span and its resource, events and their attributes: of protobuf, JSON or a view."""
    return len(resource) + len(span.attributes) + sum([1 + len(event.attributes) for event in span.events])
