"""What becomes of each of a set of spans that are all at hand: for `inspect`, `replay` and tests.

The exporter and the collector see spans as they come, and settle duplicates in the spool; here
everything is known at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

from otel_arthur.genai.duplicates.evidence import evidence_of
from otel_arthur.genai.duplicates.matching import duplicates
from otel_arthur.genai.reading import Reading, read
from otel_arthur.genai.span import SpanView

Decision = Literal["inference", "duplicate", "skipped", "failed"]


class Verdict(NamedTuple):
    """One span and what becomes of it."""

    view: SpanView
    reading: Reading
    decision: Decision
    reason: str
    duplicate_of: tuple[str, str] | None = None
    """Trace and span id of the call that is recorded instead."""


def judge(
    views: Iterable[SpanView], extra: Mapping[str, str] | None = None, metadata_only: bool = False
) -> list[Verdict]:
    """One verdict per span, in the order given; `metadata_only` takes calls without messages too."""
    readings = [(view, read(view, extra)) for view in views]
    losers = duplicates([evidence_of(reading.call) for _, reading in readings if reading.call is not None])
    return [_verdict(view, reading, losers, metadata_only) for view, reading in readings]


def _verdict(
    view: SpanView,
    reading: Reading,
    losers: Mapping[tuple[str, str], tuple[str, str]],
    metadata_only: bool,
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
