"""Spans of ordinary OTLP/JSON as views, without protobuf in between: its own parser takes ten times as long.

Ordinary is what a Collector's file exporter writes: names in camel case, values of the types of the schema.
All other documents take the long way (`json_form`), with the same result.
"""

from __future__ import annotations

from binascii import unhexlify
from collections.abc import Mapping, Sequence
from math import isfinite
from typing import Any, Final

import msgspec
from msgspec import UNSET, Struct, UnsetType, field

from otel_arthur.genai.json_text import clean
from otel_arthur.genai.otlp.views import is_remote
from otel_arthur.genai.span import NO_KIN, REMOTE_PARENT, EventView, SpanView, period

_DEEPEST: Final = 8
_INT64: Final = (-(2**63), 2**63 - 1)
_TIME: Final = (0, 2**64 - 1)
_COUNT: Final = (0, 2**32 - 1)


class _Strict(Struct, rename="camel", forbid_unknown_fields=True, gc=False):
    """An unknown field may be one in another spelling: then the document is not ordinary."""


class _Array(_Strict):
    values: Sequence[_Value] = ()


class _Map(_Strict):
    values: Sequence[_Pair] = ()


class _Value(_Strict):
    string_value: str | UnsetType = UNSET
    int_value: int | str | UnsetType = UNSET
    double_value: float | UnsetType = UNSET
    bool_value: bool | UnsetType = UNSET
    array_value: _Array | UnsetType = UNSET
    kvlist_value: _Map | UnsetType = UNSET


class _Pair(_Strict):
    key: str = ""
    value: _Value | UnsetType = UNSET


class _Event(_Strict):
    time_unix_nano: int | str = 0
    name: str = ""
    attributes: Sequence[_Pair] = ()
    dropped_attributes_count: int = 0


class _Status(_Strict):
    message: str = ""
    code: int = 0


class _Span(_Strict):
    trace_id: str = ""
    span_id: str = ""
    parent_span_id: str = ""
    trace_state: str = ""
    flags: int = 0
    name: str = ""
    kind: int = 0
    start_time_unix_nano: int | str = 0
    end_time_unix_nano: int | str = 0
    attributes: Sequence[_Pair] = ()
    dropped_attributes_count: int = 0
    events: Sequence[_Event] = ()
    dropped_events_count: int = 0
    dropped_links_count: int = 0
    status: _Status = field(default_factory=_Status)


class _Scope(_Strict):
    name: str = ""
    version: str = ""
    attributes: Sequence[_Pair] = ()
    dropped_attributes_count: int = 0


class _ScopeSpans(_Strict):
    scope: _Scope = field(default_factory=_Scope)
    spans: Sequence[_Span] = ()
    schema_url: str = ""


class _Resource(_Strict):
    attributes: Sequence[_Pair] = ()
    dropped_attributes_count: int = 0


class _ResourceSpans(_Strict):
    resource: _Resource = field(default_factory=_Resource)
    scope_spans: Sequence[_ScopeSpans] = ()
    schema_url: str = ""


def views_of(resource_spans: Any) -> list[SpanView] | None:
    """The spans below ``resourceSpans`` of a parsed document, in order; None where it is not ordinary."""
    try:
        return [
            view
            for one in msgspec.convert(resource_spans, list[_ResourceSpans])
            for resource in (_attributes(one.resource.attributes),)
            for group in one.scope_spans
            for view in [_view(span, group.scope, resource) for span in group.spans]
        ]
    except (ValueError, RecursionError):  # msgspec's errors are of the first kind
        return None


def _view(span: _Span, scope: _Scope, resource: Mapping[str, Any]) -> SpanView:
    parent = unhexlify(span.parent_span_id).hex()
    _bounded(span.kind, (0, 5))
    flags = _bounded(span.flags, _COUNT)
    return SpanView(
        unhexlify(span.trace_id).hex(),
        unhexlify(span.span_id).hex(),
        parent or None,
        clean(span.name),
        clean(scope.name),
        clean(scope.version),
        *period(_number(span.start_time_unix_nano, _TIME), _number(span.end_time_unix_nano, _TIME)),
        _bounded(span.status.code, (0, 2)),
        clean(span.status.message),
        _attributes(span.attributes),
        [
            EventView(clean(one.name), _number(one.time_unix_nano, _TIME), _attributes(one.attributes))
            for one in span.events
        ],
        resource,
        _bounded(span.dropped_attributes_count, _COUNT),
        REMOTE_PARENT if parent and is_remote(flags, span.kind) else NO_KIN,
    )


def _attributes(pairs: Sequence[_Pair]) -> dict[str, Any]:
    """As `views.attribute_map`."""
    return {clean(one.key): value for one in pairs if (value := _value(one.value, 0)) is not None}


def _value(value: _Value | UnsetType, depth: int) -> Any:
    """As `views.any_value`."""
    if value is UNSET:
        return None
    told = [one for one in msgspec.structs.astuple(value) if one is not UNSET]
    if not told:
        return None
    if len(told) > 1 or depth > _DEEPEST:
        raise ValueError("not one value, or too deep")
    if value.int_value is not UNSET:
        return _number(value.int_value, _INT64)
    (one,) = told
    if isinstance(one, str):
        return clean(one)
    if isinstance(one, _Array):
        return [_value(each, depth + 1) for each in one.values]
    if isinstance(one, _Map):
        return {clean(each.key): _value(each.value, depth + 1) for each in one.values}
    if isinstance(one, float) and not isfinite(one):
        raise ValueError("no number of JSON")
    return one


def _number(value: int | str, limits: tuple[int, int]) -> int:
    if isinstance(value, int):
        return _bounded(value, limits)
    if not (value.isascii() and value.removeprefix("-").isdecimal()):
        raise ValueError("no plain number")
    return _bounded(int(value), limits)


def _bounded(value: int, limits: tuple[int, int]) -> int:
    if not limits[0] <= value <= limits[1]:
        raise ValueError("out of range")
    return value
