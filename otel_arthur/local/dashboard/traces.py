"""The pages of traces: the list, and one as a tree with what was said in each span."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from otel_arthur.local.dashboard.calls import PAGE_SIZE, Call, Calls
from otel_arthur.local.dashboard.rendering import render
from otel_arthur.local.dashboard.shown import Shelf, Shown
from otel_arthur.local.dashboard.turns import Turn, turns_around
from otel_arthur.local.dashboard.visitors import Visitors
from otel_arthur.local.dashboard.wanted import Wanted, page_number
from otel_arthur.local.engine.traces import StoredSpan, Traces, tree_of

_MOST_SPANS: Final = 2_000
"""Spans of one trace on a page."""
_ERROR: Final = ("exception.type", "exception.message")


@dataclass(frozen=True, slots=True)
class Limb:
    """A span as the page of its trace shows it."""

    depth: int
    span: StoredSpan
    begins: float
    """Percent of the trace's time."""
    lasts: float
    error: str
    """The error's message, for a span that is no call."""
    turns: Sequence[Turn]
    shown: Shown | None
    """The call, for a span that is a call."""


@dataclass(frozen=True, slots=True)
class TracePages:
    """The pages, for the visitors that `visitors` lets in."""

    traces: Traces
    visitors: Visitors

    def routes(self) -> list[Route]:
        return [
            Route("/traces", self.visitors.guarded(self.list), methods=["GET"]),
            Route("/traces/{trace_id}", self.visitors.guarded(self.trace), methods=["GET"]),
        ]

    def list(self, request: Request) -> Response:
        """The traces, newest first."""
        version = Calls(self.traces.store).version()
        page = page_number(request.query_params.get("page", ""))
        total, ids = self.traces.trace_ids([], PAGE_SIZE, (page - 1) * PAGE_SIZE)
        lines: list[dict[str, Any]] = []
        for trace_id in ids:
            count, spans = self._spans_of(trace_id)
            lines.append({"trace_id": trace_id, "count": count, **_summary(spans)})
        pages = max(1, -(-total // PAGE_SIZE))
        return render("traces.html", lines=lines, total=total, page=page, pages=pages, version=version)

    def trace(self, request: Request) -> Response:
        trace_id = request.path_params["trace_id"]
        count, spans = self._spans_of(trace_id)
        wanted = Wanted({"trace": trace_id}, is_up=True)
        calls = Calls(self.traces.store).after(wanted, (-(2**62), 0), _MOST_SPANS)
        if not spans and not calls:
            return render("missing.html", 404, what="trace", number=trace_id)
        shelf = Shelf(self.traces)
        summary = _summary(spans) if spans else _summary_of_calls(calls)
        return render(
            "trace.html",
            trace_id=trace_id,
            count=count,
            branches=_limbs(spans, {call.span: call for call in calls}, shelf),
            inferences=[shelf.line(call) for call in calls if call.inference],
            annotation=self.traces.annotation(trace_id),
            wanted=wanted,
            is_whole="whole" in request.query_params,
            **summary,
        )

    def _spans_of(self, trace_id: str) -> tuple[int, list[StoredSpan]]:
        return self.traces.spans(trace_ids=[trace_id], limit=_MOST_SPANS)


def _limbs(spans: list[StoredSpan], calls: dict[int | None, Call], shelf: Shelf) -> list[Limb]:
    if not spans:
        return []
    begin, end = min(span.start_ns for span in spans), max(span.end_ns for span in spans)
    percent = 100 / max(end - begin, 1)
    limbs: list[Limb] = []
    for depth, span in tree_of(spans):
        call = calls.get(span.number)
        shown = None if call is None else shelf.shown(call)
        limbs.append(
            Limb(
                depth,
                span,
                round((span.start_ns - begin) * percent, 2),
                max(round((span.end_ns - span.start_ns) * percent, 2), 0.5),
                ": ".join(str(span.attributes[key]) for key in _ERROR if key in span.attributes),
                turns_around(span.attributes) if shown is None else shown.turns,
                shown,
            )
        )
    return limbs


def _summary(spans: list[StoredSpan]) -> dict[str, Any]:
    root = next((span for span in spans if span.parent_span_id is None), None)
    start = min(span.start_ns for span in spans)
    calls = [span for span in spans if span.kind == "LLM"]
    return {
        "start": start // 1_000_000,
        "took": (max(span.end_ns for span in spans) - start) / 1e9,
        "name": root.name if root else "(no root)",
        "input": str(root.attributes.get("input.value", "")) if root else "",
        "output": str(root.attributes.get("output.value", "")) if root else "",
        "calls": len(calls),
        "failed": sum(span.has_failed for span in calls),
        "tokens": sum(span.total_tokens or 0 for span in spans),
    }


def _summary_of_calls(calls: Sequence[Call]) -> dict[str, Any]:
    """The page of a trace of which the v3 API has only the calls."""
    start = min(call.ended - round((call.duration or 0) * 1000) for call in calls)
    firsts = [call for call in calls if call.is_first]
    return {
        "start": start,
        "took": (max(call.ended for call in calls) - start) / 1000,
        "name": calls[0].service or "Trace",
        "calls": len(firsts),
        "failed": sum(call.has_failed for call in firsts),
        "tokens": sum((call.tokens_in or 0) + (call.tokens_out or 0) for call in firsts),
    }
