"""What becomes of each of a set of spans that are all at hand: for `inspect`, `replay` and tests.

The exporter and the collector see spans as they come, and settle duplicates in the spool; here
everything is known at once.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, NamedTuple

from msgspec.structs import replace

from otel_arthur.genai.call import LLMCall
from otel_arthur.genai.duplicates.completion import completed
from otel_arthur.genai.duplicates.evidence import evidence_of
from otel_arthur.genai.duplicates.kin import kin_of
from otel_arthur.genai.duplicates.matching import duplicates
from otel_arthur.genai.reading import Reading, read
from otel_arthur.genai.span import NO_KIN, SpanKey, SpanView

Decision = Literal["inference", "duplicate", "skipped", "failed"]


class Verdict(NamedTuple):
    """One span and what becomes of it."""

    view: SpanView
    reading: Reading
    decision: Decision
    reason: str
    duplicate_of: SpanKey | None = None
    """Trace and span id of the call that is recorded instead."""


def judge(
    views: Iterable[SpanView], extra: Mapping[str, str] | None = None, metadata_only: bool = False
) -> list[Verdict]:
    """One verdict per span, in the order given; `metadata_only` takes calls without messages too."""
    readings = [(view, read(view, extra)) for view in views]
    calls = [reading.call for _, reading in readings if reading.call is not None]
    kin = kin_of(
        [(call.trace_id, call.span_id) for call in calls],
        {(view.trace_id, view.span_id): view.parent_span_id for view, _ in readings},
    )
    related = [replace(call, kin=kin.get((call.trace_id, call.span_id), NO_KIN)) for call in calls]
    losers = duplicates([evidence_of(call) for call in related])
    suppressed: dict[SpanKey, list[LLMCall]] = defaultdict(list)
    for call in sorted(calls, key=lambda call: (call.start_ns, call.span_id)):
        if (winner := losers.get((call.trace_id, call.span_id))) is not None:
            suppressed[winner].append(call)
    return [
        _verdict(view, _completed(reading, suppressed), losers, metadata_only) for view, reading in readings
    ]


def _completed(reading: Reading, suppressed: Mapping[SpanKey, Sequence[LLMCall]]) -> Reading:
    call = reading.call
    others = None if call is None else suppressed.get((call.trace_id, call.span_id))
    return reading if call is None or not others else replace(reading, call=completed(call, others))


def _verdict(
    view: SpanView, reading: Reading, losers: Mapping[SpanKey, SpanKey], metadata_only: bool
) -> Verdict:
    call = reading.call
    if call is None:
        return Verdict(view, reading, "skipped", reading.reason)
    winner = losers.get((view.trace_id, view.span_id))
    if winner is not None:
        return Verdict(view, reading, "duplicate", f"the same call as span {winner[1]}", winner)
    if call.failed:
        return Verdict(view, reading, "failed", call.error_type or "the call failed")
    if reading.content_missing and not metadata_only:
        return Verdict(view, reading, "skipped", reading.reason)
    return Verdict(view, reading, "inference", reading.reason)
