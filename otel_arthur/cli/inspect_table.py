"""The table of ``otel-arthur inspect``: which span, what became of it, which attribute filled which field."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from otel_arthur.cli.numbers import plural
from otel_arthur.genai.duplicates.verdicts import Verdict
from otel_arthur.inference.build import Inference
from otel_arthur.inference.fields import FIELDS

_COLOURS = {"inference": "green", "duplicate": "cyan", "failed": "red", "skipped": "yellow"}
_MAX_VALUE = 300
_LINES = 3
"""For a text; everything else has one line."""
_NAME_WIDTH = max(map(len, FIELDS))
_IN_HEADING = frozenset({"span_id", "choice_index", "choice_count"})
"""Fields that the heading of an inference tells."""


def show(rows: Sequence[tuple[Verdict, Sequence[Inference]]], show_all: bool) -> None:
    """Print each span that is an LLM call (every span with `show_all`), then the counts."""
    console = Console(highlight=False)
    for verdict, inferences in rows:
        if show_all or verdict.reading.call is not None:
            _show_span(console, verdict, inferences)
    _show_counts(console, rows, show_all)


def _show_span(console: Console, verdict: Verdict, inferences: Sequence[Inference]) -> None:
    view, dialect = verdict.view, verdict.reading.dialect
    line = Text(no_wrap=True, overflow="ellipsis")
    line.append(f"{verdict.decision:<10}", style=f"bold {_COLOURS[verdict.decision]}")
    line.append(view.name, style="bold")
    line.append(f"  span {view.span_id}", style="dim")
    if dialect is not None:
        line.append(f"  dialect {dialect.name}", style="dim")
    console.print(line)
    if verdict.decision != "inference":
        console.print(Padding(Text(verdict.reason, style=_COLOURS[verdict.decision]), (0, 0, 0, 2)))
    for index, inference in enumerate(inferences):
        if len(inferences) > 1:
            console.print(Text(f"  choice {index + 1} of {len(inferences)}", style="dim"))
        console.print(_fields(verdict, inference, inferences[0] if index else None, console.width))
    console.print()


def _fields(verdict: Verdict, inference: Inference, first: Inference | None, width: int) -> Table:
    """What an inference holds; of further choices, only what differs from the first."""
    source_width = max(width // 3, 20)
    value_width = max(width - source_width - _NAME_WIDTH - 8, 20)
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False, expand=True)
    table.add_column(width=1)
    table.add_column(no_wrap=True, min_width=_NAME_WIDTH)
    table.add_column(ratio=1)
    table.add_column(no_wrap=True, width=source_width, overflow="ellipsis", style="dim")
    for name, value in inference.data.items():
        if name in _IN_HEADING or (first is not None and first.data.get(name) == value):
            continue
        lines = _LINES if name in ("input_text", "output_text") else 1
        table.add_row("", name, _shown(value, lines * value_width - 1), Text(_source(verdict, name)))
    for name, reason in inference.left_out.items():
        table.add_row("", name, Text(f"left out: {reason}", style="yellow"), "")
    return table


def _shown(value: object, length: int) -> Text:
    """A value on as many characters as there is room for; words of a text may wrap."""
    text = " ".join(str(value)[:_MAX_VALUE].split())
    return Text(text if len(text) <= length else f"{text[: length - 1]}…", overflow="fold")


_SOURCES_OF: dict[str, tuple[str, ...]] = {
    "input_text": ("messages", "system"),
    "output_text": ("choices",),
    "prompt_tokens": ("usage.input",),
    "completion_tokens": ("usage.output",),
    "total_tokens": ("usage.total",),
    "cached_tokens": ("usage.cached",),
    "cache_write_tokens": ("usage.cache_write",),
    "reasoning_tokens": ("usage.reasoning",),
    "model": ("response_model", "request_model"),
    "system_prompt": ("system", "messages"),
    "last_user_message": ("messages",),
    "tool_calls": ("choices",),
    "tool_names": ("choices",),
    "finish_reason": ("finish_reasons", "choices"),
}
"""Field of an inference -> what `Reading.sources` calls its origin, the first known wins."""


def _source(verdict: Verdict, name: str) -> str:
    sources = verdict.reading.sources
    for origin in _SOURCES_OF.get(name, (name,)):
        if origin in sources:
            return f"<- {sources[origin]}"
    return ""


def _show_counts(
    console: Console, rows: Sequence[tuple[Verdict, Sequence[Inference]]], show_all: bool
) -> None:
    counts = Counter(verdict.decision for verdict, _ in rows)
    inferences = sum(len(found) for _, found in rows)
    told = ", ".join(f"{number} {decision}" for decision, number in sorted(counts.items())) or "none"
    console.print(f"{plural(len(rows), 'span')}: {told}; {plural(inferences, 'inference')}.", soft_wrap=True)
    for line in _skipped(verdict for verdict, _ in rows):
        console.print(Text(line, style="dim"), soft_wrap=True)
    if not show_all and any(verdict.reading.call is None for verdict, _ in rows):
        console.print(Text("  --all shows the spans that are no LLM calls too.", style="dim"))
    console.print("Nothing was sent.")


def _skipped(verdicts: Iterator[Verdict]) -> Iterator[str]:
    reasons = Counter(verdict.reason for verdict in verdicts if verdict.decision == "skipped")
    for reason, number in reasons.most_common():
        yield f"  {number} skipped: {reason}"
