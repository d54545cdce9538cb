"""Two spans of one call: one goes to the Engine, with the attributes that only the other has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson
from msgspec.structs import replace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from otel_arthur.engine.openinference.calls import (
    CHAIN,
    INPUT,
    KIND,
    METADATA,
    MODEL,
    OUTPUT,
    PARAMETERS,
    mime_type_of,
)
from otel_arthur.engine.requests import span_in
from otel_arthur.http.encoding import mapping
from otel_arthur.spool.rows import Row
from otel_arthur.target.evidence import EvidenceJudge

_TAKEN: Final = (
    MODEL,
    PARAMETERS,
    "llm.token_count.",
    "llm.finish_reason",
    "llm.provider",
    "llm.system",
    "session.id",
    "user.id",
)
"""The beginnings of attributes that are taken from the other span."""
_IN_JSON: Final = {
    PARAMETERS: ("model", "temperature", "top_p", "max_tokens"),
    METADATA: ("response_id", "time_to_first_token"),
}
"""Attributes that are JSON objects, and the values that are taken from such an object."""
_OF_A_CHAIN: Final = frozenset(
    (INPUT, OUTPUT, mime_type_of(INPUT), mime_type_of(OUTPUT), "session.id", "user.id")
)
"""The attributes that a duplicate's span keeps."""


class EngineJudge(EvidenceJudge):
    """See `spool.queue.duplicate_window.Judge`.

    Args:
        sends_losers: a duplicate goes too, as a chain without tokens, so that the tree stays whole.
    """

    def __init__(self, *, sends_losers: bool) -> None:
        self._sends_losers = sends_losers

    def demote(self, row: Row, kept: str) -> Row | None:
        """The duplicate's span as a chain; nothing where each call is a trace's root."""
        if kept == row.group:
            return row  # Nothing goes with it: a call whose words nobody recorded.
        if not self._sends_losers:
            return None
        request = ExportTraceServiceRequest.FromString(row.content)
        span = span_in(request)
        if not span.parent_span_id and not kept.startswith(row.id[:33]):
            return None  # It would be a trace of its own, which nobody needs.
        kept_attributes = [one for one in span.attributes if one.key in _OF_A_CHAIN]
        del span.attributes[:]
        span.attributes.extend(kept_attributes)
        span.attributes.add(key=KIND).value.string_value = CHAIN
        return replace(row, content=request.SerializeToString())

    def complete(self, row: Row, duplicates: Sequence[Row]) -> Row:
        """The row with its missing attributes, and with a failure, from the other spans."""
        request = ExportTraceServiceRequest.FromString(row.content)
        span = span_in(request)
        for duplicate in duplicates:
            other = span_in(ExportTraceServiceRequest.FromString(duplicate.content))
            _take(span, other)
            if other.status.code == Status.STATUS_CODE_ERROR != span.status.code:
                span.status.CopyFrom(other.status)
                span.events.extend(other.events)
        content = request.SerializeToString()
        return row if content == row.content else replace(row, content=content)


def _take(span: Span, other: Span) -> None:
    """As `genai.duplicates.completion.completed`, for spans that are written already."""
    own = {one.key: one.value for one in span.attributes}
    # A span without the model that answered repeats the model that was asked for.
    asked = _object(own[PARAMETERS].string_value).get("model") if PARAMETERS in own else None
    for one in other.attributes:
        mine = own.get(one.key)
        if mine is None:
            if one.key.startswith(_TAKEN):
                span.attributes.append(one)
        elif one.key == MODEL and mine.string_value == asked:
            mine.string_value = one.value.string_value
        elif one.key in _IN_JSON:
            values, others = _object(mine.string_value), _object(one.value.string_value)
            lacking = {
                name: others[name] for name in _IN_JSON[one.key] if name in others.keys() - values.keys()
            }
            if lacking:
                mine.string_value = orjson.dumps({**values, **lacking}).decode()


def _object(text: str) -> Mapping[str, Any]:
    """JSON that `openinference` wrote."""
    return mapping(orjson.loads(text))
