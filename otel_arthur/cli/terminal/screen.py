"""A `rich` console on which texts from outside are text: no markup, no control characters."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from otel_arthur.cli.terminal.output import say, written
from otel_arthur.printable import printable

_ENDLESS = 100_000
"""Columns of what is no terminal: a line that a program reads is never folded or cut."""
_MIN_WORDS = 24
"""Characters for the last column of a table, whose words may wrap."""


class Screen(Console):
    """Prints styled lines and tables; see `otel_arthur.cli.terminal.output` for what becomes of texts."""

    def __init__(self, *, stderr: bool = False) -> None:
        super().__init__(stderr=stderr, markup=False, emoji=False, highlight=False, soft_wrap=True)
        self._is_error = stderr
        if not self.is_terminal:
            self.width = _ENDLESS

    def print(self, *objects: Any, **options: Any) -> None:
        with written(err=self._is_error):
            super().print(*objects, **options)

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError

    def render_str(self, text: str, **options: Any) -> Text:  # type: ignore[override]
        return super().render_str(printable(text), **options)

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        for segment in super().render(renderable, options):
            if segment.control or segment.text.isprintable():
                yield segment
            else:
                # A `Text` that was made of words from outside.
                yield Segment(printable(segment.text, keep_lines=True), segment.style)

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        """Print rows under headings; only words of the last column wrap, ids and names stay whole.

        In a terminal that is too narrow each row is a block with one line for each cell.
        """
        cells = [[printable(cell) for cell in row] for row in rows]
        widths = [
            max(len(heading), *(len(row[column]) for row in cells)) for column, heading in enumerate(headings)
        ]
        if sum(widths[:-1]) + 2 * (len(widths) - 1) + min(widths[-1], _MIN_WORDS) > self.width:
            width = max(map(len, headings))
            for row in cells:
                for heading, cell in zip(headings, row, strict=True):
                    self.print(f"{heading:{width}}  {cell}".rstrip())
                say(err=self._is_error)
            return
        if not self.is_terminal:
            for row in (headings, *cells):
                padded = [f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)]
                self.print("  ".join(padded).rstrip())
            return
        table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
        for heading in headings[:-1]:
            table.add_column(heading, no_wrap=True)
        table.add_column(headings[-1], overflow="fold")
        for row in cells:
            table.add_row(*row)
        self.print(table, soft_wrap=False)
