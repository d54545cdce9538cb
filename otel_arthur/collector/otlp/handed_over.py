"""Spans in the processor's own form: MessagePack, which one step decodes into the structs that reading needs.

Source: ``collector/arthurprocessor/internal/selection/packing.go``, which writes it and says what it is. Only
spans that concern Arthur are in it, so nothing is searched here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from otel_arthur.collector.otlp.inflating import BadBody
from otel_arthur.collector.otlp.spans import MAX_ATTRIBUTES, attribute_count
from otel_arthur.genai.duplicates.kin import kin_of
from otel_arthur.genai.span import (
    NO_KIN,
    REMOTE_PARENT,
    STATUS_ERROR,
    EventView,
    Kin,
    SpanKey,
    SpanView,
    is_remote,
    period,
)
from otel_arthur.genai.steps.reading import around
from otel_arthur.genai.steps.step import Frame, Step

CONTENT_TYPE: Final = "application/vnd.otel-arthur.spans"
BYTES_A_BYTE: Final = 80
"""Bytes of an empty list as an object, with its place; in a body an empty list takes one byte.

Texts take far less, so a body is measured where there is not so much room.
"""
_ARE_IDS: Final = re.compile("(?!0{32})[0-9a-f]{32}(?!0{16})[0-9a-f]{16}").fullmatch
"""Of a trace id and a span id, one after the other."""


class _Event(Struct, array_like=True, gc=False):
    name: str
    time_ns: int
    attributes: dict[str, Any]


class _Place(Struct, array_like=True, gc=False):
    trace_id: str
    span_id: str
    parent_span_id: str | None
    flags: int
    kind: int
    name: str
    start_ns: int
    end_ns: int
    status_code: int


class _Span(_Place, array_like=True, gc=False):
    status_message: str
    attributes: dict[str, Any]
    events: list[_Event]
    dropped_attributes: int


class _Scope(Struct, array_like=True, gc=False):
    name: str
    version: str
    calls: list[_Span]
    steps: list[_Span]
    places: list[_Place]


class _Resource(Struct, array_like=True, gc=False):
    attributes: dict[str, Any]
    scopes: list[_Scope]


_decoder: Final = msgspec.msgpack.Decoder(list[list[_Resource]])


class HandedOver:
    """The spans of one request.

    Raises:
        BadBody: the body does not have that form.
    """

    def __init__(self, body: bytes) -> None:
        try:
            exports = _decoder.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise BadBody(f"the body is not of the processor's form: {error}") from None
        self._resources = [resource for export in exports for resource in export]

    def calls(self, skip: Callable[[str], None]) -> Iterator[SpanView]:
        """Spans that may be calls.

        Args:
            skip: called with the reason of each one that is left out.
        """
        kin = self._kin()
        for resource in self._resources:
            values = resource.attributes
            for scope in resource.scopes:
                name, version = scope.name, scope.version
                for span in scope.calls:
                    if _ARE_IDS(span.trace_id + span.span_id) is None:
                        skip("invalid id")
                    elif attribute_count(span, values) > MAX_ATTRIBUTES:
                        skip("too many attributes")
                    else:
                        yield _view(span, name, version, values, kin)

    def around(self) -> Iterator[tuple[SpanView | None, Step | Frame]]:
        """What the other spans are in their traces, each with its view where the view was made."""
        for resource in self._resources:
            service = resource.attributes.get("service.name")
            service = service if isinstance(service, str) else None
            for scope in resource.scopes:
                for span in scope.steps:
                    view = _view(span, scope.name, scope.version, resource.attributes, {})
                    yield view, around(view)
                for place in scope.places:
                    yield None, _frame(place, service)

    def _kin(self) -> dict[SpanKey, Kin]:
        """The spans above and below each call; empty where no span stands below another of the request."""
        scopes = [scope for resource in self._resources for scope in resource.scopes]
        spans = [span for one in scopes for several in (one.calls, one.steps, one.places) for span in several]
        here = {span.span_id for span in spans}
        if here.isdisjoint(span.parent_span_id for span in spans):
            return {}
        calls = ((span.trace_id, span.span_id) for scope in scopes for span in scope.calls)
        return kin_of(calls, {(span.trace_id, span.span_id): span.parent_span_id for span in spans})


def _view(
    span: _Span, scope: str, version: str, resource: dict[str, Any], kin: dict[SpanKey, Kin]
) -> SpanView:
    parent = span.parent_span_id
    own = REMOTE_PARENT if parent is not None and is_remote(span.flags, span.kind) else NO_KIN
    if kin and (found := kin.get((span.trace_id, span.span_id))) is not None:
        own = replace(found, is_parent_remote=own.is_parent_remote)
    return SpanView(
        span.trace_id,
        span.span_id,
        parent,
        span.name,
        scope,
        version,
        *period(span.start_ns, span.end_ns),
        span.status_code,
        span.status_message,
        span.attributes,
        [EventView(event.name, event.time_ns, event.attributes) for event in span.events],
        resource,
        span.dropped_attributes,
        own,
    )


def _frame(place: _Place, service: str | None) -> Frame:
    return Frame(
        place.trace_id,
        place.span_id,
        place.parent_span_id,
        place.parent_span_id is not None and is_remote(place.flags, place.kind),
        place.name,
        *period(place.start_ns, place.end_ns),
        place.status_code == STATUS_ERROR,
        service,
    )
