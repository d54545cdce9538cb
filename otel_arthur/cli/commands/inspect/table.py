"""The table of ``otel-arthur inspect``: which span, what became of it, which attribute filled which field."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from otel_arthur.cli.files.verdicts import Verdicts
from otel_arthur.cli.terminal.output import Part, plural, say, terminal_width
from otel_arthur.genai.duplicates.verdicts import Verdict
from otel_arthur.inference.build import Inference
from otel_arthur.inference.fields import FIELDS
from otel_arthur.printable import printable

_COLOURS = {"inference": "green", "duplicate": "cyan", "failed": "red", "skipped": "yellow"}
_MAX_VALUE = 300
_LINES = 3
"""For a text in a terminal; everything else has one line."""
_NAME_WIDTH = max(map(len, FIELDS)) + 2
_INDENT = "   "
_IN_HEADING = frozenset({"span_id", "choice_index", "choice_count"})
"""Fields that the heading of an inference tells."""

Line = Sequence[Part]


class InspectTable:
    """Shows each span as soon as it is decided, then the counts."""

    def __init__(self, verdicts: Verdicts, show_all: bool) -> None:
        self._verdicts = verdicts
        self._show_all = show_all
        self._width = terminal_width()
        self._skipped: Counter[str] = Counter()
        self._inferences = 0
        self._hidden = 0

    def of(self, verdict: Verdict, inferences: Sequence[Inference]) -> Iterable[Line] | None:
        """The lines of a span that is an LLM call, or of any span where all are asked for."""
        self._inferences += len(inferences)
        if verdict.decision == "skipped":
            self._skipped[verdict.reason] += 1
        if not self._show_all and verdict.call is None:
            self._hidden += 1
            return None
        return self._lines(verdict, inferences)

    def end(self, printed: int | None = None) -> None:
        """Print the counts, and how many spans were not printed where so many were."""
        say(f"{self._verdicts.told()}; {plural(self._inferences, 'inference')}.")
        for reason, number in self._skipped.most_common():
            say(f"  {number} skipped: {reason}")
        beyond = 0 if not printed else self._verdicts.counts.total() - self._hidden - printed
        if beyond:
            say(f"  {beyond} more not shown.")
        if self._hidden:
            say("  --all shows the spans that are no LLM calls too.")
        say("Nothing was sent.")

    def _lines(self, verdict: Verdict, inferences: Sequence[Inference]) -> Iterator[Line]:
        view, dialect = verdict.view, verdict.reading.dialect
        colour = _COLOURS[verdict.decision]
        yield (
            (f"{verdict.decision:<10}", colour),
            (view.name, "bold"),
            (f"  span {view.span_id}", "dim"),
            (f"  dialect {dialect.name}" if dialect is not None else "", "dim"),
        )
        if verdict.decision != "inference":
            yield ((f"  {verdict.reason}", colour),)
        for index, inference in enumerate(inferences):
            if len(inferences) > 1:
                yield ((f"  choice {index + 1} of {len(inferences)}", "dim"),)
            yield from self._fields(verdict, inference, inferences[0] if index else None)
        yield ()

    def _fields(self, verdict: Verdict, inference: Inference, first: Inference | None) -> Iterator[Line]:
        """What an inference holds; of further choices, only what differs from the first."""
        for name, value in inference.data.items():
            if name in _IN_HEADING or (first is not None and first.data.get(name) == value):
                continue
            text = printable(" ".join(str(value)[:_MAX_VALUE].split()))
            source = _source(verdict, name)
            if self._width is None:
                yield (
                    (f"{_INDENT}{name:<{_NAME_WIDTH}}{text}", ""),
                    (f"  {source}".rstrip(), "dim"),
                )
            else:
                yield from self._in_columns(name, text, source, self._width)
        for name, reason in inference.left_out.items():
            yield ((f"{_INDENT}{name:<{_NAME_WIDTH}}", ""), (f"left out: {reason}", "yellow"))

    @staticmethod
    def _in_columns(name: str, text: str, source: str, width: int) -> Iterator[Line]:
        """Name, value and source beside one another; the value on as many lines as it may have."""
        from rich.cells import set_cell_size

        source_width = max(width // 3, 20)
        room = max(width - len(_INDENT) - _NAME_WIDTH - source_width - 2, 20)
        lines = textwrap.wrap(
            text, room, max_lines=_LINES if name in ("input_text", "output_text") else 1, placeholder="…"
        )
        for number, line in enumerate(lines or [""]):
            heading = name if number == 0 else ""
            told = set_cell_size(source, min(len(source), source_width)) if number == 0 else ""
            yield (
                (f"{_INDENT}{heading:<{_NAME_WIDTH}}{set_cell_size(line, room)}", ""),
                (f"  {told}".rstrip(), "dim"),
            )


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
