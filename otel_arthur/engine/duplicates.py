"""Two spans of one call: one goes to the Engine, with what it lacks and the other has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec.structs import replace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

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


class EngineJudge:
    """See `spool.duplicate_window.Judge`."""

    def decide(self, testimonies: Sequence[Testimony], known: Mapping[str, str]) -> Mapping[str, str]:
        """The duplicates among the calls that are held."""
        return decide(testimonies, known)

    def demote(self, row: Row, kept: str) -> Row | None:
        """Nothing goes in a duplicate's place: each call is a trace's root."""
        return None

    def complete(self, row: Row, duplicates: Sequence[Row]) -> Row:
        """The row with the attributes that it lacks, and with the failure that another span tells."""
        request = ExportTraceServiceRequest.FromString(row.content)
        span = _span_in(request)
        before = span.ByteSize()
        present = {one.key for one in span.attributes}
        for duplicate in duplicates:
            other = _span_in(ExportTraceServiceRequest.FromString(duplicate.content))
            for one in other.attributes:
                if one.key.startswith(_TAKEN) and one.key not in present:
                    present.add(one.key)
                    span.attributes.append(one)
            if other.status.code == Status.STATUS_CODE_ERROR != span.status.code:
                span.status.CopyFrom(other.status)
                span.events.extend(other.events)
        return row if span.ByteSize() == before else replace(row, content=request.SerializeToString())


def _span_in(request: ExportTraceServiceRequest) -> Span:
    return request.resource_spans[0].scope_spans[0].spans[0]
