"""The pages of the Engine's face: traces, and one as a tree with the conversation of each call."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from otel_arthur.local.dashboard.pages import PAGE_SIZE, page_number, render
from otel_arthur.local.dashboard.visitors import Visitors
from otel_arthur.local.engine.traces import StoredSpan, Traces
from otel_arthur.local.engine.tree import tree_of

_MOST_SPANS = 2_000
"""Of one trace on a page."""


@dataclass(frozen=True, slots=True)
class TracePages:
    """The pages, for `visitors` that are let in."""

    traces: Traces
    visitors: Visitors

    def routes(self) -> list[Route]:
        """All of them."""
        return [
            Route("/traces", self.visitors.guarded(self.list), methods=["GET"]),
            Route("/traces/{trace_id}", self.visitors.guarded(self.trace), methods=["GET"]),
        ]

    async def list(self, request: Request) -> Response:
        """The traces, newest first."""
        page = page_number(request)
        offset = (page - 1) * PAGE_SIZE
        total, ids = await run_in_threadpool(self.traces.trace_ids, [], PAGE_SIZE, offset)
        lines: list[dict[str, Any]] = []
        for trace_id in ids:
            count, spans = await run_in_threadpool(self._spans_of, trace_id)
            lines.append({"trace_id": trace_id, "count": count, **_summary(spans)})
        return render(
            "traces.html", lines=lines, total=total, page=page, pages=max(1, -(-total // PAGE_SIZE))
        )

    async def trace(self, request: Request) -> Response:
        """One trace."""
        trace_id = request.path_params["trace_id"]
        count, spans = await run_in_threadpool(self._spans_of, trace_id)
        if not spans:
            return render("missing.html", 404, what="trace", number=trace_id)
        annotation = await run_in_threadpool(self.traces.annotation, trace_id)
        return render(
            "trace.html",
            trace_id=trace_id,
            count=count,
            branches=tree_of(spans),
            annotation=annotation,
            **_summary(spans),
        )

    def _spans_of(self, trace_id: str) -> tuple[int, list[StoredSpan]]:
        return self.traces.spans(trace_ids=[trace_id], limit=_MOST_SPANS)


def _summary(spans: list[StoredSpan]) -> dict[str, Any]:
    root = next((span for span in spans if span.parent_span_id is None), None)
    start = min(span.start_ns for span in spans)
    return {
        "time": datetime.fromtimestamp(start / 1e9, timezone.utc).isoformat(),
        "name": root.name if root else "(no root)",
        "input": str(root.attributes.get("input.value", "")) if root else "",
        "output": str(root.attributes.get("output.value", "")) if root else "",
        "calls": sum(span.kind == "LLM" for span in spans),
        "tokens": sum(span.total_tokens or 0 for span in spans),
    }
