"""Two spans of one call: one goes to the Engine, with what it lacks and the other has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec.structs import replace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from otel_arthur.engine.openinference import CHAIN, INPUT, KIND, OUTPUT, mime_type_of
from otel_arthur.engine.spans import span_in
from otel_arthur.genai.duplicates.deciding import decide
from otel_arthur.spool.queue.duplicate_window import Testimony
from otel_arthur.spool.rows import Row

_TAKEN: Final = (
    "llm.token_count.",
    "llm.finish_reason",
    "llm.provider",
    "llm.system",
    "session.id",
    "user.id",
)
"""How attributes begin that are taken from the other span."""
_OF_A_CHAIN: Final = frozenset(
    (INPUT, OUTPUT, mime_type_of(INPUT), mime_type_of(OUTPUT), "session.id", "user.id")
)
"""What stays of a duplicate's span."""


class EngineJudge:
    """See `spool.queue.duplicate_window.Judge`.

    Args:
        sends_losers: a duplicate goes too, as a chain without tokens, so that the tree stays whole.
    """

    def __init__(self, *, sends_losers: bool) -> None:
        self._sends_losers = sends_losers

    def decide(self, testimonies: Sequence[Testimony], known: Mapping[str, str]) -> Mapping[str, str]:
        """The duplicates among the calls that are held."""
        return decide(testimonies, known)

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
        """The row with the attributes that it lacks, and with the failure that another span tells."""
        request = ExportTraceServiceRequest.FromString(row.content)
        span = span_in(request)
        before = span.ByteSize()
        present = {one.key for one in span.attributes}
        for duplicate in duplicates:
            other = span_in(ExportTraceServiceRequest.FromString(duplicate.content))
            for one in other.attributes:
                if one.key.startswith(_TAKEN) and one.key not in present:
                    present.add(one.key)
                    span.attributes.append(one)
            if other.status.code == Status.STATUS_CODE_ERROR != span.status.code:
                span.status.CopyFrom(other.status)
                span.events.extend(other.events)
        return row if span.ByteSize() == before else replace(row, content=request.SerializeToString())
