"""What is in a folder of captures, scenario by scenario."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from otel_arthur.genai.events.log_events import log_events
from otel_arthur.genai.otlp.views import span_views
from otel_arthur.genai.span import SpanView
from tests.support.spans.exports import join_all, log_exports, trace_exports


def scenarios_in(folder: Path) -> Iterator[list[SpanView]]:
    """The spans of each scenario, with the content of its log events."""
    for path in sorted(folder.rglob("*.pb")):
        if path.name.endswith(".logs.pb"):
            continue
        # A scenario without a span is an empty file.
        content = path.read_bytes()
        requests = trace_exports(content) if content else []
        views = [view for request in requests for view in span_views(request)]
        logs = path.with_suffix(".logs.pb")
        if logs.exists():
            events = [event for request in log_exports(logs.read_bytes()) for event in log_events(request)]
            views, _ = join_all(views, events)
        yield views
