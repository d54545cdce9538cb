"""What the Engine makes of the recorded calls: sent raw, as `OTLPSpanExporter` does, and through otel-arthur.

python -m tests.engine.comparison            # writes the table into docs/arthur-engine.md
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from otel_arthur import ArthurSpanExporter
from otel_arthur.genai.span import SpanView
from otel_arthur.local.engine.spans import read_request
from otel_arthur.local.engine.traces import StoredSpan
from otel_arthur.local.server import LocalArthur
from tests.genai.matrix.truth import Capture, calls_served, captures, views_of
from tests.support.paths import ROOT
from tests.support.spans.exports import trace_exports
from tests.support.spans.readable import readable_span

PAGE = ROOT / "docs" / "arthur-engine.md"
BEGIN, END = "<!-- comparison: python -m tests.engine.comparison -->\n", "<!-- end of comparison -->\n"


@dataclass
class Figures:
    """Of one capture, or of many."""

    calls: int = 0
    """Spans of kind LLM."""
    tokens: int = 0
    traces: int = 0
    whole: int = 0
    """Traces whose root has an input and an output."""

    def __add__(self, other: Figures) -> Figures:
        return Figures(
            self.calls + other.calls,
            self.tokens + other.tokens,
            self.traces + other.traces,
            self.whole + other.whole,
        )


@dataclass
class Compared:
    """One capture both ways."""

    capture: Capture
    views: Sequence[SpanView]
    raw: Figures = field(default_factory=Figures)
    ours: Figures = field(default_factory=Figures)
    spans: list[StoredSpan] = field(default_factory=list[StoredSpan])
    """As otel-arthur sent them."""


def compared(folder: Path, **settings: Any) -> list[Compared]:
    """All captures, both ways, into a strict double each."""
    found = [Compared(capture, views_of(capture)) for capture in captures()]
    # Some recordings have one trace for several scenarios.
    captures_of = {(view.trace_id, view.span_id): one for one in found for view in one.views}
    with LocalArthur() as raw, LocalArthur() as ours:
        for one in found:
            content_ = one.capture.path.read_bytes()
            for request in trace_exports(content_) if content_ else ():
                raw.traces.add(read_request(request.SerializeToString()))
        exporter = ArthurSpanExporter(
            engine_endpoint=ours.url,
            engine_api_key=ours.api_key,
            spool_dir=folder,
            duplicate_window=3600,
            timeout=120,
            **settings,
        )
        for one in found:
            # In the order in which they ended, as a processor hands them over.
            exporter.export(list(map(readable_span, sorted(one.views, key=lambda view: view.end_ns))))
        assert exporter.force_flush(600_000)
        exporter.shutdown()
        for server, name in ((raw, "raw"), (ours, "ours")):
            traces: dict[tuple[int, str], list[StoredSpan]] = defaultdict(list)
            for span in server.traces.spans(limit=10**6)[1]:
                one = captures_of[span.trace_id, span.span_id]
                traces[id(one), span.trace_id].append(span)
                if name == "ours":
                    one.spans.append(span)
            by_id = {id(one): one for one in found}
            for (number, _), spans in traces.items():
                one = by_id[number]
                setattr(one, name, getattr(one, name) + _figures(spans))
    return found


def _figures(spans: Sequence[StoredSpan]) -> Figures:
    roots = [span for span in spans if span.parent_span_id is None]
    whole = any(root.attributes.get("input.value") and root.attributes.get("output.value") for root in roots)
    tokens = sum(span.total_tokens or 0 for span in spans)
    return Figures(sum(span.kind == "LLM" for span in spans), tokens, 1, int(whole))


def table(found: Sequence[Compared]) -> str:
    """The comparison as Markdown, a row for each recording, and one for all."""
    groups: dict[str, list[Compared]] = defaultdict(list)
    for one in found:
        groups[one.capture.recording].append(one)
    lines = [
        "| recorded with | calls served | `OTLPSpanExporter`: LLM spans | tokens | whole traces "
        "| otel-arthur: LLM spans | tokens | whole traces |",
        "|---|" + "--:|" * 7,
        *(_row(f"`{name}`", members) for name, members in sorted(groups.items())),
        _row("**all**", found),
    ]
    return "\n".join(lines) + "\n"


def _row(name: str, members: Sequence[Compared]) -> str:
    served = sum(len(calls_served(one.capture)) for one in members)
    raw = sum((one.raw for one in members), Figures())
    ours = sum((one.ours for one in members), Figures())
    cells = [
        str(served),
        *(
            f"{figures.calls} | {figures.tokens} | {figures.whole} of {figures.traces}"
            for figures in (raw, ours)
        ),
    ]
    return f"| {name} | {' | '.join(cells)} |"


def page_with(table: str) -> str:
    """The page with this table."""
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{table}{END}{after}"


def main() -> None:
    """Write the page."""
    with tempfile.TemporaryDirectory() as folder:
        PAGE.write_text(page_with(table(compared(Path(folder)))), encoding="utf-8")


if __name__ == "__main__":
    main()
