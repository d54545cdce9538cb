"""The table of ``otel-arthur inspect``: which span, what became of it, which attribute filled which field."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from otel_arthur.genai.verdicts import Verdict
from otel_arthur.inference.build import Inference

_COLOURS = {"inference": "green", "duplicate": "cyan", "failed": "red", "skipped": "yellow"}


def show(rows: Sequence[tuple[Verdict, Sequence[Inference]]], show_all: bool) -> None:
    """Print one row per span that is an LLM call (every span with `show_all`), then the counts."""
    console = Console()
    table = Table(box=None, header_style="bold", pad_edge=False)
    for heading in ("span", "became", "why", "inference"):
        table.add_column(heading, overflow="fold")
    for verdict, inferences in rows:
        if show_all or verdict.reading.call is not None:
            table.add_row(
                escape(f"{verdict.view.name}\n{verdict.view.span_id}"),
                f"[{_COLOURS[verdict.decision]}]{verdict.decision}[/]",
                escape(_why(verdict)),
                escape("\n\n".join(_fields(verdict, inference) for inference in inferences)),
            )
    console.print(table)
    counts = Counter(verdict.decision for verdict, _ in rows)
    summary = ", ".join(f"{number} {decision}" for decision, number in sorted(counts.items()))
    inferences = sum(len(found) for _, found in rows)
    console.print(f"\n{len(rows)} spans: {summary or 'none'}; {inferences} inferences. Nothing was sent.")


def _why(verdict: Verdict) -> str:
    dialect = verdict.reading.dialect
    return verdict.reason + (f"\ndialect {dialect.name}" if dialect is not None else "")


_SOURCE_OF = {
    "input_text": "messages",
    "output_text": "choices",
    "prompt_tokens": "usage.input",
    "completion_tokens": "usage.output",
    "total_tokens": "usage.total",
    "cached_tokens": "usage.cached",
    "cache_write_tokens": "usage.cache_write",
    "reasoning_tokens": "usage.reasoning",
    "model": "response_model",
    "system_prompt": "system",
    "tool_calls": "choices",
    "tool_names": "choices",
    "finish_reason": "finish_reasons",
}


def _fields(verdict: Verdict, inference: Inference) -> str:
    sources = verdict.reading.sources
    lines: list[str] = []
    for name, value in inference.data.items():
        shown = " ".join(str(value).split())
        shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
        source = sources.get(_SOURCE_OF.get(name, name))
        lines.append(f"{name} = {shown}" + (f"  <- {source}" if source else ""))
    lines += [f"{name} left out: {reason}" for name, reason in inference.left_out.items()]
    return "\n".join(lines)
