"""From a request to the spool: find the LLM spans, read them, route them, hand them to the delivery."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from opentelemetry.proto.trace.v1.trace_pb2 import Span

from otel_arthur.collector.arthur_configuration import ModelRoute
from otel_arthur.collector.routing import Router
from otel_arthur.configuration import Configuration
from otel_arthur.genai.call import LLMCall
from otel_arthur.genai.otlp import attribute_map, span_view
from otel_arthur.genai.reading import Reading, read
from otel_arthur.genai.span import SpanView
from otel_arthur.inference.identity import partner_inference_id

_logger = logging.getLogger(__name__)

MARKERS = (b"gen_ai.", b"llm.", b"openinference.span.kind")
"""Every LLM span has one of these in its bytes, in protobuf and in JSON alike: part of a key."""
MAX_ATTRIBUTES = 20_000
"""Of one span, with its events: more is no span of an LLM call but an attack on memory."""
STAMP = "arthur.inference.id"


class Submitted(Protocol):
    """What a delivery says of one `submit`."""

    @property
    def refused_full(self) -> int: ...


class Sink(Protocol):
    """What the intake needs of a delivery (`otel_arthur.delivery.Delivery`)."""

    def submit(self, calls: Sequence[LLMCall], model_id: str | None = None) -> Submitted: ...
    def skip(self, reason: str, n: int = 1) -> None: ...


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a trace request's LLM spans."""

    calls: int = 0
    """LLM calls that are in the spool now, new or known."""
    refused: int = 0
    """LLM calls that a full spool did not take."""
    unmatched: int = 0
    """LLM calls that no route takes."""
    skipped: int = 0
    """LLM spans that could not be read, or that hold no messages."""
    keys: tuple[tuple[str, str], ...] = ()
    """Trace and span id of each call."""


class Intake:
    """Reads trace requests. Safe to use from several threads."""

    def __init__(
        self,
        routes: Sequence[ModelRoute],
        connection: Configuration,
        sink_for: Callable[[Configuration], Sink],
    ) -> None:
        self._router = Router(routes)
        self._connection = connection
        self._sinks = {id(route): sink_for(route.destination) for route in routes}
        self._default = next(iter(self._sinks.values()))
        self._warned: set[str] = set()

    def take(self, request: Any, stamp: bool = False) -> Taken:
        """Put the calls of an ``ExportTraceServiceRequest`` into the spool; on disk when this returns.

        With `stamp`, each span that became a call gets the attribute `STAMP`, in place.
        """
        groups: dict[int, tuple[ModelRoute, list[LLMCall]]] = {}
        keys: list[tuple[str, str]] = []
        unmatched = skipped = 0
        for view, span in self._candidates(request):
            call = self._call(view)
            if call is None:
                skipped += 1
                continue
            if isinstance(call, Reading):
                continue
            route = self._router.route(view)
            if route is None:
                unmatched += 1
                self._default.skip("no route", 1)
                self._warn("no route", "some LLM calls match no model; add a last one without match")
                continue
            groups.setdefault(id(route), (route, []))[1].append(call)
            keys.append((call.trace_id, call.span_id))
            if stamp:
                _stamp(span, partner_inference_id(call.trace_id, call.span_id))
        refused = 0
        for key, (route, calls) in groups.items():
            refused += self._sinks[key].submit(calls, model_id=route.model_id).refused_full
        return Taken(len(keys) - refused, refused, unmatched, skipped, tuple(keys))

    def take_logs(self, request: Any) -> Taken:
        """GenAI events of an ``ExportLogsServiceRequest``, to be joined to their spans.

        The hook for the joining room: content that comes in logs is not read yet.
        """
        return Taken()

    def _candidates(self, request: Any) -> Iterator[tuple[SpanView, Span]]:
        """Spans with a marker, as views. The others are never read: a search of bytes tells."""
        for resource_spans in request.resource_spans:
            resource: Mapping[str, Any] | None = None
            for scope_spans in resource_spans.scope_spans:
                scope = scope_spans.scope
                for span in scope_spans.spans:
                    if not has_marker(span.SerializeToString()):
                        continue
                    if len(span.trace_id) != 16 or len(span.span_id) != 8:
                        self._default.skip("invalid id", 1)
                        continue
                    if _attribute_count(span, resource_spans.resource) > MAX_ATTRIBUTES:
                        self._default.skip("too many attributes", 1)
                        continue
                    if resource is None:
                        resource = attribute_map(resource_spans.resource.attributes)
                    yield span_view(span, scope.name, scope.version, resource), span

    def _call(self, view: SpanView) -> LLMCall | Reading | None:
        """The call in a span, None where it is lost to us, or the reading of what is no call."""
        try:
            reading = read(view, self._connection.attributes)
        except Exception as error:  # a span of a shape never seen must not cost its request
            self._default.skip("unreadable", 1)
            self._warn("unreadable", f"a span could not be read ({type(error).__name__}); it is skipped")
            return None
        if reading.call is None:
            return reading
        if reading.content_missing and self._connection.content != "metadata":
            self._default.skip("no content", 1)
            dialect = reading.dialect.name if reading.dialect else ""
            self._warn(f"no content {dialect}", f"an LLM call without messages is skipped: {reading.reason}")
            return None
        return reading.call

    def _warn(self, key: str, line: str) -> None:
        """Once per reason and configuration."""
        if key not in self._warned:
            self._warned.add(key)
            _logger.warning(line)


def has_marker(content: bytes) -> bool:
    """Whether bytes of OTLP may hold an LLM span; a search that walks no attribute."""
    return any(marker in content for marker in MARKERS)


def invalid_ids(request: Any) -> int:
    """Spans whose ids have a length that is not allowed (``trace.proto``, ``Span.trace_id``)."""
    return sum(
        len(span.trace_id) != 16 or len(span.span_id) != 8
        for resource_spans in request.resource_spans
        for scope_spans in resource_spans.scope_spans
        for span in scope_spans.spans
    )


def _attribute_count(span: Span, resource: Any) -> int:
    return (
        len(span.attributes)
        + len(resource.attributes)
        + len(span.events)
        + sum(len(event.attributes) for event in span.events)
    )


def _stamp(span: Span, inference_id: str) -> None:
    for attribute in span.attributes:
        if attribute.key == STAMP:
            attribute.value.string_value = inference_id
            return
    span.attributes.add(key=STAMP).value.string_value = inference_id
